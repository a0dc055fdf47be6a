import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace narrowband. */
export namespace narrowband {

    /**
     * Properties of an Envelope.
     * @deprecated Use narrowband.Envelope.$Properties instead.
     */
    interface IEnvelope extends narrowband.Envelope.$Properties {
    }

    /** Represents an Envelope. */
    class Envelope {

        /**
         * Constructs a new Envelope.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Envelope.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Envelope job. */
        job: number;

        /** Envelope client. */
        client: number;

        /** Envelope tensor. */
        tensor?: (narrowband.Tensor.$Properties|null);

        /** Envelope roundStart. */
        roundStart?: (narrowband.RoundStart.$Properties|null);

        /** Envelope stepDone. */
        stepDone?: (narrowband.StepDone.$Properties|null);

        /** Envelope commit. */
        commit?: (narrowband.Commit.$Properties|null);

        /** Envelope abandon. */
        abandon?: (narrowband.Abandon.$Properties|null);

        /** Envelope adapterBegin. */
        adapterBegin?: (narrowband.AdapterBegin.$Properties|null);

        /** Envelope adapterChunk. */
        adapterChunk?: (narrowband.AdapterChunk.$Properties|null);

        /** Envelope ping. */
        ping?: (narrowband.Ping.$Properties|null);

        /** Envelope pong. */
        pong?: (narrowband.Pong.$Properties|null);

        /** Envelope hello. */
        hello?: (narrowband.Hello.$Properties|null);

        /** Envelope welcome. */
        welcome?: (narrowband.Welcome.$Properties|null);

        /** Envelope ready. */
        ready?: (narrowband.Ready.$Properties|null);

        /** Envelope goodbye. */
        goodbye?: (narrowband.Goodbye.$Properties|null);

        /** Envelope error. */
        error?: (narrowband.Error.$Properties|null);

        /** Envelope message. */
        message?: ("tensor"|"roundStart"|"stepDone"|"commit"|"abandon"|"adapterBegin"|"adapterChunk"|"ping"|"pong"|"hello"|"welcome"|"ready"|"goodbye"|"error");

        /**
         * Encodes the specified Envelope message. Does not implicitly {@link narrowband.Envelope.verify|verify} messages.
         * @param message Envelope message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Envelope.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Envelope message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Envelope & narrowband.Envelope.$Shape} Envelope
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Envelope & narrowband.Envelope.$Shape;

        /**
         * Creates an Envelope message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Envelope
         */
        static fromObject(object: { [k: string]: any }): narrowband.Envelope;

        /**
         * Creates a plain object from an Envelope message. Also converts values to other types if specified.
         * @param message Envelope
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Envelope, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Envelope to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Envelope {

        /** Properties of an Envelope. */
        interface $Properties {

            /** Envelope job */
            job?: (number|null);

            /** Envelope client */
            client?: (number|null);

            /** Envelope tensor */
            tensor?: (narrowband.Tensor.$Properties|null);

            /** Envelope roundStart */
            roundStart?: (narrowband.RoundStart.$Properties|null);

            /** Envelope stepDone */
            stepDone?: (narrowband.StepDone.$Properties|null);

            /** Envelope commit */
            commit?: (narrowband.Commit.$Properties|null);

            /** Envelope abandon */
            abandon?: (narrowband.Abandon.$Properties|null);

            /** Envelope adapterBegin */
            adapterBegin?: (narrowband.AdapterBegin.$Properties|null);

            /** Envelope adapterChunk */
            adapterChunk?: (narrowband.AdapterChunk.$Properties|null);

            /** Envelope ping */
            ping?: (narrowband.Ping.$Properties|null);

            /** Envelope pong */
            pong?: (narrowband.Pong.$Properties|null);

            /** Envelope hello */
            hello?: (narrowband.Hello.$Properties|null);

            /** Envelope welcome */
            welcome?: (narrowband.Welcome.$Properties|null);

            /** Envelope ready */
            ready?: (narrowband.Ready.$Properties|null);

            /** Envelope goodbye */
            goodbye?: (narrowband.Goodbye.$Properties|null);

            /** Envelope error */
            error?: (narrowband.Error.$Properties|null);

            /** Envelope message */
            message?: ("tensor"|"roundStart"|"stepDone"|"commit"|"abandon"|"adapterBegin"|"adapterChunk"|"ping"|"pong"|"hello"|"welcome"|"ready"|"goodbye"|"error");

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Narrowed shape of an Envelope. */
        type $Shape = {
          job?: number|null;
          client?: number|null;
          tensor?: narrowband.Tensor.$Shape|null;
          roundStart?: narrowband.RoundStart.$Shape|null;
          stepDone?: narrowband.StepDone.$Shape|null;
          commit?: narrowband.Commit.$Shape|null;
          abandon?: narrowband.Abandon.$Shape|null;
          adapterBegin?: narrowband.AdapterBegin.$Shape|null;
          adapterChunk?: narrowband.AdapterChunk.$Shape|null;
          ping?: narrowband.Ping.$Shape|null;
          pong?: narrowband.Pong.$Shape|null;
          hello?: narrowband.Hello.$Shape|null;
          welcome?: narrowband.Welcome.$Shape|null;
          ready?: narrowband.Ready.$Shape|null;
          goodbye?: narrowband.Goodbye.$Shape|null;
          error?: narrowband.Error.$Shape|null;
          $unknowns?: Uint8Array[];
        } & (
          ({ message?: undefined; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "tensor"; tensor: narrowband.Tensor.$Shape; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "roundStart"; tensor?: null; roundStart: narrowband.RoundStart.$Shape; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "stepDone"; tensor?: null; roundStart?: null; stepDone: narrowband.StepDone.$Shape; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "commit"; tensor?: null; roundStart?: null; stepDone?: null; commit: narrowband.Commit.$Shape; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "abandon"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon: narrowband.Abandon.$Shape; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "adapterBegin"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin: narrowband.AdapterBegin.$Shape; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "adapterChunk"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk: narrowband.AdapterChunk.$Shape; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "ping"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping: narrowband.Ping.$Shape; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "pong"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong: narrowband.Pong.$Shape; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "hello"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello: narrowband.Hello.$Shape; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "welcome"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome: narrowband.Welcome.$Shape; ready?: null; goodbye?: null; error?: null }|{ message?: "ready"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready: narrowband.Ready.$Shape; goodbye?: null; error?: null }|{ message?: "goodbye"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye: narrowband.Goodbye.$Shape; error?: null }|{ message?: "error"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error: narrowband.Error.$Shape })
        );
    }

    /** Phase enum. */
    enum Phase {

        /** PHASE_UNSPECIFIED value */
        PHASE_UNSPECIFIED = 0,

        /** A1 value */
        A1 = 1,

        /** A2 value */
        A2 = 2,

        /** G2 value */
        G2 = 3,

        /** G1 value */
        G1 = 4
    }

    /**
     * Properties of a Tensor.
     * @deprecated Use narrowband.Tensor.$Properties instead.
     */
    interface ITensor extends narrowband.Tensor.$Properties {
    }

    /** Represents a Tensor. */
    class Tensor {

        /**
         * Constructs a new Tensor.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Tensor.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Tensor step. */
        step: number;

        /** Tensor attempt. */
        attempt: number;

        /** Tensor microBatch. */
        microBatch: number;

        /** Tensor phase. */
        phase: narrowband.Phase;

        /** Tensor tokens. */
        tokens: number;

        /** Tensor lengths. */
        lengths: number[];

        /** Tensor channels. */
        channels: number;

        /** Tensor codec. */
        codec: number;

        /** Tensor bitTableVersion. */
        bitTableVersion: number;

        /** Tensor bitTableBytes. */
        bitTableBytes: number;

        /** Tensor scaleBytes. */
        scaleBytes: number;

        /** Tensor labelBytes. */
        labelBytes: number;

        /** Tensor lossSum. */
        lossSum: number;

        /** Tensor supervisedTokens. */
        supervisedTokens: number;

        /**
         * Encodes the specified Tensor message. Does not implicitly {@link narrowband.Tensor.verify|verify} messages.
         * @param message Tensor message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Tensor.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Tensor message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Tensor & narrowband.Tensor.$Shape} Tensor
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Tensor & narrowband.Tensor.$Shape;

        /**
         * Creates a Tensor message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Tensor
         */
        static fromObject(object: { [k: string]: any }): narrowband.Tensor;

        /**
         * Creates a plain object from a Tensor message. Also converts values to other types if specified.
         * @param message Tensor
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Tensor, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Tensor to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Tensor {

        /** Properties of a Tensor. */
        interface $Properties {

            /** Tensor step */
            step?: (number|null);

            /** Tensor attempt */
            attempt?: (number|null);

            /** Tensor microBatch */
            microBatch?: (number|null);

            /** Tensor phase */
            phase?: (narrowband.Phase|null);

            /** Tensor tokens */
            tokens?: (number|null);

            /** Tensor lengths */
            lengths?: (number[]|null);

            /** Tensor channels */
            channels?: (number|null);

            /** Tensor codec */
            codec?: (number|null);

            /** Tensor bitTableVersion */
            bitTableVersion?: (number|null);

            /** Tensor bitTableBytes */
            bitTableBytes?: (number|null);

            /** Tensor scaleBytes */
            scaleBytes?: (number|null);

            /** Tensor labelBytes */
            labelBytes?: (number|null);

            /** Tensor lossSum */
            lossSum?: (number|null);

            /** Tensor supervisedTokens */
            supervisedTokens?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Tensor. */
        type $Shape = narrowband.Tensor.$Properties;
    }

    /**
     * Properties of a RoundStart.
     * @deprecated Use narrowband.RoundStart.$Properties instead.
     */
    interface IRoundStart extends narrowband.RoundStart.$Properties {
    }

    /** Represents a RoundStart. */
    class RoundStart {

        /**
         * Constructs a new RoundStart.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.RoundStart.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** RoundStart step. */
        step: number;

        /** RoundStart attempt. */
        attempt: number;

        /**
         * Encodes the specified RoundStart message. Does not implicitly {@link narrowband.RoundStart.verify|verify} messages.
         * @param message RoundStart message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.RoundStart.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a RoundStart message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.RoundStart & narrowband.RoundStart.$Shape} RoundStart
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.RoundStart & narrowband.RoundStart.$Shape;

        /**
         * Creates a RoundStart message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns RoundStart
         */
        static fromObject(object: { [k: string]: any }): narrowband.RoundStart;

        /**
         * Creates a plain object from a RoundStart message. Also converts values to other types if specified.
         * @param message RoundStart
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.RoundStart, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this RoundStart to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace RoundStart {

        /** Properties of a RoundStart. */
        interface $Properties {

            /** RoundStart step */
            step?: (number|null);

            /** RoundStart attempt */
            attempt?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a RoundStart. */
        type $Shape = narrowband.RoundStart.$Properties;
    }

    /**
     * Properties of a StepDone.
     * @deprecated Use narrowband.StepDone.$Properties instead.
     */
    interface IStepDone extends narrowband.StepDone.$Properties {
    }

    /** Represents a StepDone. */
    class StepDone {

        /**
         * Constructs a new StepDone.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.StepDone.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** StepDone step. */
        step: number;

        /** StepDone attempt. */
        attempt: number;

        /** StepDone lossSum. */
        lossSum: number;

        /** StepDone supervisedTokens. */
        supervisedTokens: number;

        /**
         * Encodes the specified StepDone message. Does not implicitly {@link narrowband.StepDone.verify|verify} messages.
         * @param message StepDone message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.StepDone.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a StepDone message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.StepDone & narrowband.StepDone.$Shape} StepDone
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.StepDone & narrowband.StepDone.$Shape;

        /**
         * Creates a StepDone message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns StepDone
         */
        static fromObject(object: { [k: string]: any }): narrowband.StepDone;

        /**
         * Creates a plain object from a StepDone message. Also converts values to other types if specified.
         * @param message StepDone
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.StepDone, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this StepDone to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace StepDone {

        /** Properties of a StepDone. */
        interface $Properties {

            /** StepDone step */
            step?: (number|null);

            /** StepDone attempt */
            attempt?: (number|null);

            /** StepDone lossSum */
            lossSum?: (number|null);

            /** StepDone supervisedTokens */
            supervisedTokens?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a StepDone. */
        type $Shape = narrowband.StepDone.$Properties;
    }

    /**
     * Properties of a Commit.
     * @deprecated Use narrowband.Commit.$Properties instead.
     */
    interface ICommit extends narrowband.Commit.$Properties {
    }

    /** Represents a Commit. */
    class Commit {

        /**
         * Constructs a new Commit.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Commit.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Commit step. */
        step: number;

        /** Commit attempt. */
        attempt: number;

        /** Commit trunkStep. */
        trunkStep: number;

        /** Commit participants. */
        participants: number;

        /** Commit supervisedTokens. */
        supervisedTokens: number;

        /** Commit staleness. */
        staleness: number;

        /** Commit gradientNorm. */
        gradientNorm: number;

        /**
         * Encodes the specified Commit message. Does not implicitly {@link narrowband.Commit.verify|verify} messages.
         * @param message Commit message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Commit.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Commit message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Commit & narrowband.Commit.$Shape} Commit
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Commit & narrowband.Commit.$Shape;

        /**
         * Creates a Commit message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Commit
         */
        static fromObject(object: { [k: string]: any }): narrowband.Commit;

        /**
         * Creates a plain object from a Commit message. Also converts values to other types if specified.
         * @param message Commit
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Commit, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Commit to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Commit {

        /** Properties of a Commit. */
        interface $Properties {

            /** Commit step */
            step?: (number|null);

            /** Commit attempt */
            attempt?: (number|null);

            /** Commit trunkStep */
            trunkStep?: (number|null);

            /** Commit participants */
            participants?: (number|null);

            /** Commit supervisedTokens */
            supervisedTokens?: (number|null);

            /** Commit staleness */
            staleness?: (number|null);

            /** Commit gradientNorm */
            gradientNorm?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Commit. */
        type $Shape = narrowband.Commit.$Properties;
    }

    /**
     * Properties of an Abandon.
     * @deprecated Use narrowband.Abandon.$Properties instead.
     */
    interface IAbandon extends narrowband.Abandon.$Properties {
    }

    /** Represents an Abandon. */
    class Abandon {

        /**
         * Constructs a new Abandon.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Abandon.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Abandon step. */
        step: number;

        /** Abandon attempt. */
        attempt: number;

        /** Abandon code. */
        code: string;

        /** Abandon message. */
        message: string;

        /**
         * Encodes the specified Abandon message. Does not implicitly {@link narrowband.Abandon.verify|verify} messages.
         * @param message Abandon message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Abandon.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Abandon message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Abandon & narrowband.Abandon.$Shape} Abandon
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Abandon & narrowband.Abandon.$Shape;

        /**
         * Creates an Abandon message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Abandon
         */
        static fromObject(object: { [k: string]: any }): narrowband.Abandon;

        /**
         * Creates a plain object from an Abandon message. Also converts values to other types if specified.
         * @param message Abandon
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Abandon, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Abandon to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Abandon {

        /** Properties of an Abandon. */
        interface $Properties {

            /** Abandon step */
            step?: (number|null);

            /** Abandon attempt */
            attempt?: (number|null);

            /** Abandon code */
            code?: (string|null);

            /** Abandon message */
            message?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Abandon. */
        type $Shape = narrowband.Abandon.$Properties;
    }

    /**
     * Properties of an AdapterBegin.
     * @deprecated Use narrowband.AdapterBegin.$Properties instead.
     */
    interface IAdapterBegin extends narrowband.AdapterBegin.$Properties {
    }

    /** Represents an AdapterBegin. */
    class AdapterBegin {

        /**
         * Constructs a new AdapterBegin.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.AdapterBegin.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** AdapterBegin average. */
        average: number;

        /** AdapterBegin manifestDigest. */
        manifestDigest: number;

        /** AdapterBegin totalBytes. */
        totalBytes: number;

        /** AdapterBegin chunkBytes. */
        chunkBytes: number;

        /**
         * Encodes the specified AdapterBegin message. Does not implicitly {@link narrowband.AdapterBegin.verify|verify} messages.
         * @param message AdapterBegin message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.AdapterBegin.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an AdapterBegin message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.AdapterBegin & narrowband.AdapterBegin.$Shape} AdapterBegin
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.AdapterBegin & narrowband.AdapterBegin.$Shape;

        /**
         * Creates an AdapterBegin message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns AdapterBegin
         */
        static fromObject(object: { [k: string]: any }): narrowband.AdapterBegin;

        /**
         * Creates a plain object from an AdapterBegin message. Also converts values to other types if specified.
         * @param message AdapterBegin
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.AdapterBegin, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this AdapterBegin to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace AdapterBegin {

        /** Properties of an AdapterBegin. */
        interface $Properties {

            /** AdapterBegin average */
            average?: (number|null);

            /** AdapterBegin manifestDigest */
            manifestDigest?: (number|null);

            /** AdapterBegin totalBytes */
            totalBytes?: (number|null);

            /** AdapterBegin chunkBytes */
            chunkBytes?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an AdapterBegin. */
        type $Shape = narrowband.AdapterBegin.$Properties;
    }

    /**
     * Properties of an AdapterChunk.
     * @deprecated Use narrowband.AdapterChunk.$Properties instead.
     */
    interface IAdapterChunk extends narrowband.AdapterChunk.$Properties {
    }

    /** Represents an AdapterChunk. */
    class AdapterChunk {

        /**
         * Constructs a new AdapterChunk.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.AdapterChunk.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** AdapterChunk average. */
        average: number;

        /** AdapterChunk index. */
        index: number;

        /**
         * Encodes the specified AdapterChunk message. Does not implicitly {@link narrowband.AdapterChunk.verify|verify} messages.
         * @param message AdapterChunk message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.AdapterChunk.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an AdapterChunk message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.AdapterChunk & narrowband.AdapterChunk.$Shape} AdapterChunk
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.AdapterChunk & narrowband.AdapterChunk.$Shape;

        /**
         * Creates an AdapterChunk message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns AdapterChunk
         */
        static fromObject(object: { [k: string]: any }): narrowband.AdapterChunk;

        /**
         * Creates a plain object from an AdapterChunk message. Also converts values to other types if specified.
         * @param message AdapterChunk
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.AdapterChunk, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this AdapterChunk to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace AdapterChunk {

        /** Properties of an AdapterChunk. */
        interface $Properties {

            /** AdapterChunk average */
            average?: (number|null);

            /** AdapterChunk index */
            index?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an AdapterChunk. */
        type $Shape = narrowband.AdapterChunk.$Properties;
    }

    /**
     * Properties of an AdapterManifest.
     * @deprecated Use narrowband.AdapterManifest.$Properties instead.
     */
    interface IAdapterManifest extends narrowband.AdapterManifest.$Properties {
    }

    /** Represents an AdapterManifest. */
    class AdapterManifest {

        /**
         * Constructs a new AdapterManifest.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.AdapterManifest.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** AdapterManifest tensors. */
        tensors: narrowband.AdapterTensor.$Properties[];

        /**
         * Encodes the specified AdapterManifest message. Does not implicitly {@link narrowband.AdapterManifest.verify|verify} messages.
         * @param message AdapterManifest message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.AdapterManifest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an AdapterManifest message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.AdapterManifest & narrowband.AdapterManifest.$Shape} AdapterManifest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.AdapterManifest & narrowband.AdapterManifest.$Shape;

        /**
         * Creates an AdapterManifest message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns AdapterManifest
         */
        static fromObject(object: { [k: string]: any }): narrowband.AdapterManifest;

        /**
         * Creates a plain object from an AdapterManifest message. Also converts values to other types if specified.
         * @param message AdapterManifest
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.AdapterManifest, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this AdapterManifest to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace AdapterManifest {

        /** Properties of an AdapterManifest. */
        interface $Properties {

            /** AdapterManifest tensors */
            tensors?: (narrowband.AdapterTensor.$Properties[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an AdapterManifest. */
        type $Shape = narrowband.AdapterManifest.$Properties;
    }

    /**
     * Properties of an AdapterTensor.
     * @deprecated Use narrowband.AdapterTensor.$Properties instead.
     */
    interface IAdapterTensor extends narrowband.AdapterTensor.$Properties {
    }

    /** Represents an AdapterTensor. */
    class AdapterTensor {

        /**
         * Constructs a new AdapterTensor.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.AdapterTensor.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** AdapterTensor name. */
        name: string;

        /** AdapterTensor shape. */
        shape: number[];

        /**
         * Encodes the specified AdapterTensor message. Does not implicitly {@link narrowband.AdapterTensor.verify|verify} messages.
         * @param message AdapterTensor message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.AdapterTensor.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an AdapterTensor message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.AdapterTensor & narrowband.AdapterTensor.$Shape} AdapterTensor
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.AdapterTensor & narrowband.AdapterTensor.$Shape;

        /**
         * Creates an AdapterTensor message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns AdapterTensor
         */
        static fromObject(object: { [k: string]: any }): narrowband.AdapterTensor;

        /**
         * Creates a plain object from an AdapterTensor message. Also converts values to other types if specified.
         * @param message AdapterTensor
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.AdapterTensor, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this AdapterTensor to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace AdapterTensor {

        /** Properties of an AdapterTensor. */
        interface $Properties {

            /** AdapterTensor name */
            name?: (string|null);

            /** AdapterTensor shape */
            shape?: (number[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an AdapterTensor. */
        type $Shape = narrowband.AdapterTensor.$Properties;
    }

    /**
     * Properties of a Ping.
     * @deprecated Use narrowband.Ping.$Properties instead.
     */
    interface IPing extends narrowband.Ping.$Properties {
    }

    /** Represents a Ping. */
    class Ping {

        /**
         * Constructs a new Ping.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Ping.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Ping id. */
        id: number;

        /**
         * Encodes the specified Ping message. Does not implicitly {@link narrowband.Ping.verify|verify} messages.
         * @param message Ping message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Ping.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Ping message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Ping & narrowband.Ping.$Shape} Ping
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Ping & narrowband.Ping.$Shape;

        /**
         * Creates a Ping message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Ping
         */
        static fromObject(object: { [k: string]: any }): narrowband.Ping;

        /**
         * Creates a plain object from a Ping message. Also converts values to other types if specified.
         * @param message Ping
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Ping, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Ping to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Ping {

        /** Properties of a Ping. */
        interface $Properties {

            /** Ping id */
            id?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Ping. */
        type $Shape = narrowband.Ping.$Properties;
    }

    /**
     * Properties of a Pong.
     * @deprecated Use narrowband.Pong.$Properties instead.
     */
    interface IPong extends narrowband.Pong.$Properties {
    }

    /** Represents a Pong. */
    class Pong {

        /**
         * Constructs a new Pong.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Pong.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Pong id. */
        id: number;

        /**
         * Encodes the specified Pong message. Does not implicitly {@link narrowband.Pong.verify|verify} messages.
         * @param message Pong message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Pong.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Pong message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Pong & narrowband.Pong.$Shape} Pong
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Pong & narrowband.Pong.$Shape;

        /**
         * Creates a Pong message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Pong
         */
        static fromObject(object: { [k: string]: any }): narrowband.Pong;

        /**
         * Creates a plain object from a Pong message. Also converts values to other types if specified.
         * @param message Pong
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Pong, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Pong to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Pong {

        /** Properties of a Pong. */
        interface $Properties {

            /** Pong id */
            id?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Pong. */
        type $Shape = narrowband.Pong.$Properties;
    }

    /**
     * Properties of a Hello.
     * @deprecated Use narrowband.Hello.$Properties instead.
     */
    interface IHello extends narrowband.Hello.$Properties {
    }

    /** Represents a Hello. */
    class Hello {

        /**
         * Constructs a new Hello.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Hello.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Hello protocolMin. */
        protocolMin: number;

        /** Hello protocolMax. */
        protocolMax: number;

        /** Hello token. */
        token: string;

        /** Hello job. */
        job: string;

        /** Hello name. */
        name: string;

        /** Hello modelFingerprint. */
        modelFingerprint: string;

        /** Hello tokenizerFingerprint. */
        tokenizerFingerprint: string;

        /** Hello codecs. */
        codecs: string[];

        /** Hello software. */
        software: string;

        /** Hello process. */
        process: string;

        /** Hello connection. */
        connection: number;

        /** Hello resume. */
        resume?: (narrowband.Resume.$Properties|null);

        /**
         * Encodes the specified Hello message. Does not implicitly {@link narrowband.Hello.verify|verify} messages.
         * @param message Hello message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Hello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Hello message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Hello & narrowband.Hello.$Shape} Hello
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Hello & narrowband.Hello.$Shape;

        /**
         * Creates a Hello message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Hello
         */
        static fromObject(object: { [k: string]: any }): narrowband.Hello;

        /**
         * Creates a plain object from a Hello message. Also converts values to other types if specified.
         * @param message Hello
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Hello, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Hello to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Hello {

        /** Properties of a Hello. */
        interface $Properties {

            /** Hello protocolMin */
            protocolMin?: (number|null);

            /** Hello protocolMax */
            protocolMax?: (number|null);

            /** Hello token */
            token?: (string|null);

            /** Hello job */
            job?: (string|null);

            /** Hello name */
            name?: (string|null);

            /** Hello modelFingerprint */
            modelFingerprint?: (string|null);

            /** Hello tokenizerFingerprint */
            tokenizerFingerprint?: (string|null);

            /** Hello codecs */
            codecs?: (string[]|null);

            /** Hello software */
            software?: (string|null);

            /** Hello process */
            process?: (string|null);

            /** Hello connection */
            connection?: (number|null);

            /** Hello resume */
            resume?: (narrowband.Resume.$Properties|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Hello. */
        type $Shape = narrowband.Hello.$Properties;
    }

    /**
     * Properties of a Resume.
     * @deprecated Use narrowband.Resume.$Properties instead.
     */
    interface IResume extends narrowband.Resume.$Properties {
    }

    /** Represents a Resume. */
    class Resume {

        /**
         * Constructs a new Resume.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Resume.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Resume prepared. */
        prepared: boolean;

        /** Resume step. */
        step: number;

        /** Resume attempt. */
        attempt: number;

        /** Resume averaged. */
        averaged: number;

        /** Resume open. */
        open: boolean;

        /** Resume a1. */
        a1: number;

        /** Resume a2. */
        a2: number;

        /** Resume g2. */
        g2: number;

        /** Resume g1. */
        g1: number;

        /** Resume taken. */
        taken: number;

        /** Resume upload. */
        upload: number;

        /**
         * Encodes the specified Resume message. Does not implicitly {@link narrowband.Resume.verify|verify} messages.
         * @param message Resume message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Resume.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Resume message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Resume & narrowband.Resume.$Shape} Resume
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Resume & narrowband.Resume.$Shape;

        /**
         * Creates a Resume message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Resume
         */
        static fromObject(object: { [k: string]: any }): narrowband.Resume;

        /**
         * Creates a plain object from a Resume message. Also converts values to other types if specified.
         * @param message Resume
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Resume, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Resume to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Resume {

        /** Properties of a Resume. */
        interface $Properties {

            /** Resume prepared */
            prepared?: (boolean|null);

            /** Resume step */
            step?: (number|null);

            /** Resume attempt */
            attempt?: (number|null);

            /** Resume averaged */
            averaged?: (number|null);

            /** Resume open */
            open?: (boolean|null);

            /** Resume a1 */
            a1?: (number|null);

            /** Resume a2 */
            a2?: (number|null);

            /** Resume g2 */
            g2?: (number|null);

            /** Resume g1 */
            g1?: (number|null);

            /** Resume taken */
            taken?: (number|null);

            /** Resume upload */
            upload?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Resume. */
        type $Shape = narrowband.Resume.$Properties;
    }

    /**
     * Properties of a Welcome.
     * @deprecated Use narrowband.Welcome.$Properties instead.
     */
    interface IWelcome extends narrowband.Welcome.$Properties {
    }

    /** Represents a Welcome. */
    class Welcome {

        /**
         * Constructs a new Welcome.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Welcome.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Welcome protocol. */
        protocol: number;

        /** Welcome resumed. */
        resumed: boolean;

        /** Welcome job. */
        job: number;

        /** Welcome client. */
        client: number;

        /** Welcome config. */
        config?: (narrowband.JobConfig.$Properties|null);

        /** Welcome resume. */
        resume?: (narrowband.Resume.$Properties|null);

        /**
         * Encodes the specified Welcome message. Does not implicitly {@link narrowband.Welcome.verify|verify} messages.
         * @param message Welcome message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Welcome.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Welcome message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Welcome & narrowband.Welcome.$Shape} Welcome
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Welcome & narrowband.Welcome.$Shape;

        /**
         * Creates a Welcome message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Welcome
         */
        static fromObject(object: { [k: string]: any }): narrowband.Welcome;

        /**
         * Creates a plain object from a Welcome message. Also converts values to other types if specified.
         * @param message Welcome
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Welcome, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Welcome to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Welcome {

        /** Properties of a Welcome. */
        interface $Properties {

            /** Welcome protocol */
            protocol?: (number|null);

            /** Welcome resumed */
            resumed?: (boolean|null);

            /** Welcome job */
            job?: (number|null);

            /** Welcome client */
            client?: (number|null);

            /** Welcome config */
            config?: (narrowband.JobConfig.$Properties|null);

            /** Welcome resume */
            resume?: (narrowband.Resume.$Properties|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Welcome. */
        type $Shape = narrowband.Welcome.$Properties;
    }

    /**
     * Properties of a Ready.
     * @deprecated Use narrowband.Ready.$Properties instead.
     */
    interface IReady extends narrowband.Ready.$Properties {
    }

    /** Represents a Ready. */
    class Ready {

        /**
         * Constructs a new Ready.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Ready.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /**
         * Encodes the specified Ready message. Does not implicitly {@link narrowband.Ready.verify|verify} messages.
         * @param message Ready message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Ready.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Ready message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Ready & narrowband.Ready.$Shape} Ready
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Ready & narrowband.Ready.$Shape;

        /**
         * Creates a Ready message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Ready
         */
        static fromObject(object: { [k: string]: any }): narrowband.Ready;

        /**
         * Creates a plain object from a Ready message. Also converts values to other types if specified.
         * @param message Ready
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Ready, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Ready to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Ready {

        /** Properties of a Ready. */
        interface $Properties {

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Ready. */
        type $Shape = narrowband.Ready.$Properties;
    }

    /**
     * Properties of a Goodbye.
     * @deprecated Use narrowband.Goodbye.$Properties instead.
     */
    interface IGoodbye extends narrowband.Goodbye.$Properties {
    }

    /** Represents a Goodbye. */
    class Goodbye {

        /**
         * Constructs a new Goodbye.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Goodbye.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Goodbye reason. */
        reason: narrowband.Goodbye.Reason;

        /** Goodbye code. */
        code: string;

        /** Goodbye message. */
        message: string;

        /** Goodbye retryAfterMs. */
        retryAfterMs: number;

        /**
         * Encodes the specified Goodbye message. Does not implicitly {@link narrowband.Goodbye.verify|verify} messages.
         * @param message Goodbye message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Goodbye.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a Goodbye message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Goodbye & narrowband.Goodbye.$Shape} Goodbye
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Goodbye & narrowband.Goodbye.$Shape;

        /**
         * Creates a Goodbye message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Goodbye
         */
        static fromObject(object: { [k: string]: any }): narrowband.Goodbye;

        /**
         * Creates a plain object from a Goodbye message. Also converts values to other types if specified.
         * @param message Goodbye
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Goodbye, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Goodbye to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Goodbye {

        /** Properties of a Goodbye. */
        interface $Properties {

            /** Goodbye reason */
            reason?: (narrowband.Goodbye.Reason|null);

            /** Goodbye code */
            code?: (string|null);

            /** Goodbye message */
            message?: (string|null);

            /** Goodbye retryAfterMs */
            retryAfterMs?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a Goodbye. */
        type $Shape = narrowband.Goodbye.$Properties;

        /** Reason enum. */
        enum Reason {

            /** REASON_UNSPECIFIED value */
            REASON_UNSPECIFIED = 0,

            /** COMPLETED value */
            COMPLETED = 1,

            /** STOPPED value */
            STOPPED = 2,

            /** FAILED value */
            FAILED = 3
        }
    }

    /**
     * Properties of an Error.
     * @deprecated Use narrowband.Error.$Properties instead.
     */
    interface IError extends narrowband.Error.$Properties {
    }

    /** Represents an Error. */
    class Error {

        /**
         * Constructs a new Error.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.Error.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** Error code. */
        code: string;

        /** Error message. */
        message: string;

        /**
         * Encodes the specified Error message. Does not implicitly {@link narrowband.Error.verify|verify} messages.
         * @param message Error message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.Error.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an Error message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.Error & narrowband.Error.$Shape} Error
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.Error & narrowband.Error.$Shape;

        /**
         * Creates an Error message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns Error
         */
        static fromObject(object: { [k: string]: any }): narrowband.Error;

        /**
         * Creates a plain object from an Error message. Also converts values to other types if specified.
         * @param message Error
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.Error, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this Error to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace Error {

        /** Properties of an Error. */
        interface $Properties {

            /** Error code */
            code?: (string|null);

            /** Error message */
            message?: (string|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an Error. */
        type $Shape = narrowband.Error.$Properties;
    }

    /**
     * Properties of a JobConfig.
     * @deprecated Use narrowband.JobConfig.$Properties instead.
     */
    interface IJobConfig extends narrowband.JobConfig.$Properties {
    }

    /** Represents a JobConfig. */
    class JobConfig {

        /**
         * Constructs a new JobConfig.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.JobConfig.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** JobConfig split. */
        split: narrowband.JobConfig.Split;

        /** JobConfig mode. */
        mode: narrowband.JobConfig.Mode;

        /** JobConfig aggregation. */
        aggregation: narrowband.JobConfig.Aggregation;

        /** JobConfig averageEvery. */
        averageEvery: number;

        /** JobConfig steps. */
        steps: number;

        /** JobConfig microBatches. */
        microBatches: number;

        /** JobConfig inFlight. */
        inFlight: number;

        /** JobConfig seed. */
        seed: number;

        /** JobConfig model. */
        model?: (narrowband.ModelSpec.$Properties|null);

        /** JobConfig lora. */
        lora?: (narrowband.LoraSpec.$Properties|null);

        /** JobConfig optimizer. */
        optimizer?: (narrowband.OptimizerSpec.$Properties|null);

        /** JobConfig codecA1. */
        codecA1: string;

        /** JobConfig codecA2. */
        codecA2: string;

        /** JobConfig codecG2. */
        codecG2: string;

        /** JobConfig codecG1. */
        codecG1: string;

        /** JobConfig maxFrameBytes. */
        maxFrameBytes: number;

        /** JobConfig maxTokens. */
        maxTokens: number;

        /** JobConfig maxRows. */
        maxRows: number;

        /** JobConfig maxRowTokens. */
        maxRowTokens: number;

        /** JobConfig heartbeatMs. */
        heartbeatMs: number;

        /** JobConfig stepDeadlineMs. */
        stepDeadlineMs: number;

        /**
         * Encodes the specified JobConfig message. Does not implicitly {@link narrowband.JobConfig.verify|verify} messages.
         * @param message JobConfig message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.JobConfig.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a JobConfig message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.JobConfig & narrowband.JobConfig.$Shape} JobConfig
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.JobConfig & narrowband.JobConfig.$Shape;

        /**
         * Creates a JobConfig message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns JobConfig
         */
        static fromObject(object: { [k: string]: any }): narrowband.JobConfig;

        /**
         * Creates a plain object from a JobConfig message. Also converts values to other types if specified.
         * @param message JobConfig
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.JobConfig, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this JobConfig to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace JobConfig {

        /** Properties of a JobConfig. */
        interface $Properties {

            /** JobConfig split */
            split?: (narrowband.JobConfig.Split|null);

            /** JobConfig mode */
            mode?: (narrowband.JobConfig.Mode|null);

            /** JobConfig aggregation */
            aggregation?: (narrowband.JobConfig.Aggregation|null);

            /** JobConfig averageEvery */
            averageEvery?: (number|null);

            /** JobConfig steps */
            steps?: (number|null);

            /** JobConfig microBatches */
            microBatches?: (number|null);

            /** JobConfig inFlight */
            inFlight?: (number|null);

            /** JobConfig seed */
            seed?: (number|null);

            /** JobConfig model */
            model?: (narrowband.ModelSpec.$Properties|null);

            /** JobConfig lora */
            lora?: (narrowband.LoraSpec.$Properties|null);

            /** JobConfig optimizer */
            optimizer?: (narrowband.OptimizerSpec.$Properties|null);

            /** JobConfig codecA1 */
            codecA1?: (string|null);

            /** JobConfig codecA2 */
            codecA2?: (string|null);

            /** JobConfig codecG2 */
            codecG2?: (string|null);

            /** JobConfig codecG1 */
            codecG1?: (string|null);

            /** JobConfig maxFrameBytes */
            maxFrameBytes?: (number|null);

            /** JobConfig maxTokens */
            maxTokens?: (number|null);

            /** JobConfig maxRows */
            maxRows?: (number|null);

            /** JobConfig maxRowTokens */
            maxRowTokens?: (number|null);

            /** JobConfig heartbeatMs */
            heartbeatMs?: (number|null);

            /** JobConfig stepDeadlineMs */
            stepDeadlineMs?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a JobConfig. */
        type $Shape = narrowband.JobConfig.$Properties;

        /** Split enum. */
        enum Split {

            /** SPLIT_UNSPECIFIED value */
            SPLIT_UNSPECIFIED = 0,

            /** U_SHAPE value */
            U_SHAPE = 1,

            /** VANILLA value */
            VANILLA = 2
        }

        /** Mode enum. */
        enum Mode {

            /** MODE_UNSPECIFIED value */
            MODE_UNSPECIFIED = 0,

            /** SYNC value */
            SYNC = 1,

            /** SEQUENTIAL value */
            SEQUENTIAL = 2
        }

        /** Aggregation enum. */
        enum Aggregation {

            /** AGGREGATION_UNSPECIFIED value */
            AGGREGATION_UNSPECIFIED = 0,

            /** PERSONAL value */
            PERSONAL = 1,

            /** FEDAVG value */
            FEDAVG = 2
        }
    }

    /**
     * Properties of a ModelSpec.
     * @deprecated Use narrowband.ModelSpec.$Properties instead.
     */
    interface IModelSpec extends narrowband.ModelSpec.$Properties {
    }

    /** Represents a ModelSpec. */
    class ModelSpec {

        /**
         * Constructs a new ModelSpec.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.ModelSpec.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** ModelSpec name. */
        name: string;

        /** ModelSpec fingerprint. */
        fingerprint: string;

        /** ModelSpec tokenizerFingerprint. */
        tokenizerFingerprint: string;

        /** ModelSpec hidden. */
        hidden: number;

        /** ModelSpec bottomBlocks. */
        bottomBlocks: number;

        /** ModelSpec trunkBlocks. */
        trunkBlocks: number;

        /** ModelSpec topBlocks. */
        topBlocks: number;

        /** ModelSpec vocabulary. */
        vocabulary: number;

        /**
         * Encodes the specified ModelSpec message. Does not implicitly {@link narrowband.ModelSpec.verify|verify} messages.
         * @param message ModelSpec message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.ModelSpec.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a ModelSpec message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.ModelSpec & narrowband.ModelSpec.$Shape} ModelSpec
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.ModelSpec & narrowband.ModelSpec.$Shape;

        /**
         * Creates a ModelSpec message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns ModelSpec
         */
        static fromObject(object: { [k: string]: any }): narrowband.ModelSpec;

        /**
         * Creates a plain object from a ModelSpec message. Also converts values to other types if specified.
         * @param message ModelSpec
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.ModelSpec, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this ModelSpec to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace ModelSpec {

        /** Properties of a ModelSpec. */
        interface $Properties {

            /** ModelSpec name */
            name?: (string|null);

            /** ModelSpec fingerprint */
            fingerprint?: (string|null);

            /** ModelSpec tokenizerFingerprint */
            tokenizerFingerprint?: (string|null);

            /** ModelSpec hidden */
            hidden?: (number|null);

            /** ModelSpec bottomBlocks */
            bottomBlocks?: (number|null);

            /** ModelSpec trunkBlocks */
            trunkBlocks?: (number|null);

            /** ModelSpec topBlocks */
            topBlocks?: (number|null);

            /** ModelSpec vocabulary */
            vocabulary?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a ModelSpec. */
        type $Shape = narrowband.ModelSpec.$Properties;
    }

    /**
     * Properties of a LoraSpec.
     * @deprecated Use narrowband.LoraSpec.$Properties instead.
     */
    interface ILoraSpec extends narrowband.LoraSpec.$Properties {
    }

    /** Represents a LoraSpec. */
    class LoraSpec {

        /**
         * Constructs a new LoraSpec.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.LoraSpec.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** LoraSpec rank. */
        rank: number;

        /** LoraSpec alpha. */
        alpha: number;

        /** LoraSpec dropout. */
        dropout: number;

        /** LoraSpec targetModules. */
        targetModules: string[];

        /**
         * Encodes the specified LoraSpec message. Does not implicitly {@link narrowband.LoraSpec.verify|verify} messages.
         * @param message LoraSpec message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.LoraSpec.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes a LoraSpec message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.LoraSpec & narrowband.LoraSpec.$Shape} LoraSpec
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.LoraSpec & narrowband.LoraSpec.$Shape;

        /**
         * Creates a LoraSpec message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns LoraSpec
         */
        static fromObject(object: { [k: string]: any }): narrowband.LoraSpec;

        /**
         * Creates a plain object from a LoraSpec message. Also converts values to other types if specified.
         * @param message LoraSpec
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.LoraSpec, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this LoraSpec to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace LoraSpec {

        /** Properties of a LoraSpec. */
        interface $Properties {

            /** LoraSpec rank */
            rank?: (number|null);

            /** LoraSpec alpha */
            alpha?: (number|null);

            /** LoraSpec dropout */
            dropout?: (number|null);

            /** LoraSpec targetModules */
            targetModules?: (string[]|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of a LoraSpec. */
        type $Shape = narrowband.LoraSpec.$Properties;
    }

    /**
     * Properties of an OptimizerSpec.
     * @deprecated Use narrowband.OptimizerSpec.$Properties instead.
     */
    interface IOptimizerSpec extends narrowband.OptimizerSpec.$Properties {
    }

    /** Represents an OptimizerSpec. */
    class OptimizerSpec {

        /**
         * Constructs a new OptimizerSpec.
         * @param [properties] Properties to set
         */
        constructor(properties?: narrowband.OptimizerSpec.$Properties);

        /** Unknown fields preserved while decoding when enabled */
        $unknowns?: Uint8Array[];

        /** OptimizerSpec learningRate. */
        learningRate: number;

        /** OptimizerSpec beta1. */
        beta1: number;

        /** OptimizerSpec beta2. */
        beta2: number;

        /** OptimizerSpec epsilon. */
        epsilon: number;

        /** OptimizerSpec weightDecay. */
        weightDecay: number;

        /** OptimizerSpec maxGradientNorm. */
        maxGradientNorm: number;

        /** OptimizerSpec schedule. */
        schedule: narrowband.OptimizerSpec.Schedule;

        /** OptimizerSpec warmupSteps. */
        warmupSteps: number;

        /** OptimizerSpec finalFraction. */
        finalFraction: number;

        /**
         * Encodes the specified OptimizerSpec message. Does not implicitly {@link narrowband.OptimizerSpec.verify|verify} messages.
         * @param message OptimizerSpec message or plain object to encode
         * @param [writer] Writer to encode to
         * @returns Writer
         */
        static encode(message: narrowband.OptimizerSpec.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

        /**
         * Decodes an OptimizerSpec message from the specified reader or buffer.
         * @param reader Reader or buffer to decode from
         * @param [length] Message length if known beforehand
         * @returns {narrowband.OptimizerSpec & narrowband.OptimizerSpec.$Shape} OptimizerSpec
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): narrowband.OptimizerSpec & narrowband.OptimizerSpec.$Shape;

        /**
         * Creates an OptimizerSpec message from a plain object. Also converts values to their respective internal types.
         * @param object Plain object
         * @returns OptimizerSpec
         */
        static fromObject(object: { [k: string]: any }): narrowband.OptimizerSpec;

        /**
         * Creates a plain object from an OptimizerSpec message. Also converts values to other types if specified.
         * @param message OptimizerSpec
         * @param [options] Conversion options
         * @returns Plain object
         */
        static toObject(message: narrowband.OptimizerSpec, options?: $protobuf.IConversionOptions): { [k: string]: any };

        /**
         * Converts this OptimizerSpec to JSON.
         * @returns JSON object
         */
        toJSON(): { [k: string]: any };
    }

    namespace OptimizerSpec {

        /** Properties of an OptimizerSpec. */
        interface $Properties {

            /** OptimizerSpec learningRate */
            learningRate?: (number|null);

            /** OptimizerSpec beta1 */
            beta1?: (number|null);

            /** OptimizerSpec beta2 */
            beta2?: (number|null);

            /** OptimizerSpec epsilon */
            epsilon?: (number|null);

            /** OptimizerSpec weightDecay */
            weightDecay?: (number|null);

            /** OptimizerSpec maxGradientNorm */
            maxGradientNorm?: (number|null);

            /** OptimizerSpec schedule */
            schedule?: (narrowband.OptimizerSpec.Schedule|null);

            /** OptimizerSpec warmupSteps */
            warmupSteps?: (number|null);

            /** OptimizerSpec finalFraction */
            finalFraction?: (number|null);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];
        }

        /** Shape of an OptimizerSpec. */
        type $Shape = narrowband.OptimizerSpec.$Properties;

        /** Schedule enum. */
        enum Schedule {

            /** SCHEDULE_UNSPECIFIED value */
            SCHEDULE_UNSPECIFIED = 0,

            /** CONSTANT value */
            CONSTANT = 1,

            /** LINEAR value */
            LINEAR = 2,

            /** COSINE value */
            COSINE = 3
        }
    }
}
