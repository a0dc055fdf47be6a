/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError, $TypeError = $util.global.TypeError, $Number = $util.global.Number, $Array = $util.global.Array, $String = $util.global.String, $isFinite = $util.global.isFinite, $Boolean = $util.global.Boolean;

// Exported root namespace
const $root = $protobuf.roots["narrowband_wire"] || ($protobuf.roots["narrowband_wire"] = {});

export const narrowband = $root.narrowband = (() => {

    /**
     * Namespace narrowband.
     * @exports narrowband
     * @namespace
     */
    const narrowband = {};

    narrowband.Envelope = (function() {

        /**
         * Properties of an Envelope.
         * @typedef {Object} narrowband.Envelope.$Properties
         * @property {number|null} [job] Envelope job
         * @property {number|null} [client] Envelope client
         * @property {narrowband.Tensor.$Properties|null} [tensor] Envelope tensor
         * @property {narrowband.RoundStart.$Properties|null} [roundStart] Envelope roundStart
         * @property {narrowband.StepDone.$Properties|null} [stepDone] Envelope stepDone
         * @property {narrowband.Commit.$Properties|null} [commit] Envelope commit
         * @property {narrowband.Abandon.$Properties|null} [abandon] Envelope abandon
         * @property {narrowband.AdapterBegin.$Properties|null} [adapterBegin] Envelope adapterBegin
         * @property {narrowband.AdapterChunk.$Properties|null} [adapterChunk] Envelope adapterChunk
         * @property {narrowband.Ping.$Properties|null} [ping] Envelope ping
         * @property {narrowband.Pong.$Properties|null} [pong] Envelope pong
         * @property {narrowband.Hello.$Properties|null} [hello] Envelope hello
         * @property {narrowband.Welcome.$Properties|null} [welcome] Envelope welcome
         * @property {narrowband.Ready.$Properties|null} [ready] Envelope ready
         * @property {narrowband.Goodbye.$Properties|null} [goodbye] Envelope goodbye
         * @property {narrowband.Error.$Properties|null} [error] Envelope error
         * @property {"tensor"|"roundStart"|"stepDone"|"commit"|"abandon"|"adapterBegin"|"adapterChunk"|"ping"|"pong"|"hello"|"welcome"|"ready"|"goodbye"|"error"} [message] Envelope message
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an Envelope.
         * @memberof narrowband
         * @interface IEnvelope
         * @augments narrowband.Envelope.$Properties
         * @deprecated Use narrowband.Envelope.$Properties instead.
         */

        /**
         * Narrowed shape of an Envelope.
         * @typedef {{
         *   job?: number|null;
         *   client?: number|null;
         *   tensor?: narrowband.Tensor.$Shape|null;
         *   roundStart?: narrowband.RoundStart.$Shape|null;
         *   stepDone?: narrowband.StepDone.$Shape|null;
         *   commit?: narrowband.Commit.$Shape|null;
         *   abandon?: narrowband.Abandon.$Shape|null;
         *   adapterBegin?: narrowband.AdapterBegin.$Shape|null;
         *   adapterChunk?: narrowband.AdapterChunk.$Shape|null;
         *   ping?: narrowband.Ping.$Shape|null;
         *   pong?: narrowband.Pong.$Shape|null;
         *   hello?: narrowband.Hello.$Shape|null;
         *   welcome?: narrowband.Welcome.$Shape|null;
         *   ready?: narrowband.Ready.$Shape|null;
         *   goodbye?: narrowband.Goodbye.$Shape|null;
         *   error?: narrowband.Error.$Shape|null;
         *   $unknowns?: Array.<Uint8Array>;
         * } & (
         *   ({ message?: undefined; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "tensor"; tensor: narrowband.Tensor.$Shape; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "roundStart"; tensor?: null; roundStart: narrowband.RoundStart.$Shape; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "stepDone"; tensor?: null; roundStart?: null; stepDone: narrowband.StepDone.$Shape; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "commit"; tensor?: null; roundStart?: null; stepDone?: null; commit: narrowband.Commit.$Shape; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "abandon"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon: narrowband.Abandon.$Shape; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "adapterBegin"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin: narrowband.AdapterBegin.$Shape; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "adapterChunk"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk: narrowband.AdapterChunk.$Shape; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "ping"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping: narrowband.Ping.$Shape; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "pong"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong: narrowband.Pong.$Shape; hello?: null; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "hello"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello: narrowband.Hello.$Shape; welcome?: null; ready?: null; goodbye?: null; error?: null }|{ message?: "welcome"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome: narrowband.Welcome.$Shape; ready?: null; goodbye?: null; error?: null }|{ message?: "ready"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready: narrowband.Ready.$Shape; goodbye?: null; error?: null }|{ message?: "goodbye"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye: narrowband.Goodbye.$Shape; error?: null }|{ message?: "error"; tensor?: null; roundStart?: null; stepDone?: null; commit?: null; abandon?: null; adapterBegin?: null; adapterChunk?: null; ping?: null; pong?: null; hello?: null; welcome?: null; ready?: null; goodbye?: null; error: narrowband.Error.$Shape })
         * )} narrowband.Envelope.$Shape
         */

        /**
         * Constructs a new Envelope.
         * @memberof narrowband
         * @classdesc Represents an Envelope.
         * @constructor
         * @param {narrowband.Envelope.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Envelope = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Envelope job.
         * @member {number} job
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.job = 0;

        /**
         * Envelope client.
         * @member {number} client
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.client = 0;

        /**
         * Envelope tensor.
         * @member {narrowband.Tensor.$Properties|null|undefined} tensor
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.tensor = null;

        /**
         * Envelope roundStart.
         * @member {narrowband.RoundStart.$Properties|null|undefined} roundStart
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.roundStart = null;

        /**
         * Envelope stepDone.
         * @member {narrowband.StepDone.$Properties|null|undefined} stepDone
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.stepDone = null;

        /**
         * Envelope commit.
         * @member {narrowband.Commit.$Properties|null|undefined} commit
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.commit = null;

        /**
         * Envelope abandon.
         * @member {narrowband.Abandon.$Properties|null|undefined} abandon
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.abandon = null;

        /**
         * Envelope adapterBegin.
         * @member {narrowband.AdapterBegin.$Properties|null|undefined} adapterBegin
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.adapterBegin = null;

        /**
         * Envelope adapterChunk.
         * @member {narrowband.AdapterChunk.$Properties|null|undefined} adapterChunk
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.adapterChunk = null;

        /**
         * Envelope ping.
         * @member {narrowband.Ping.$Properties|null|undefined} ping
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.ping = null;

        /**
         * Envelope pong.
         * @member {narrowband.Pong.$Properties|null|undefined} pong
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.pong = null;

        /**
         * Envelope hello.
         * @member {narrowband.Hello.$Properties|null|undefined} hello
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.hello = null;

        /**
         * Envelope welcome.
         * @member {narrowband.Welcome.$Properties|null|undefined} welcome
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.welcome = null;

        /**
         * Envelope ready.
         * @member {narrowband.Ready.$Properties|null|undefined} ready
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.ready = null;

        /**
         * Envelope goodbye.
         * @member {narrowband.Goodbye.$Properties|null|undefined} goodbye
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.goodbye = null;

        /**
         * Envelope error.
         * @member {narrowband.Error.$Properties|null|undefined} error
         * @memberof narrowband.Envelope
         * @instance
         */
        Envelope.prototype.error = null;

        // OneOf field names bound to virtual getters and setters
        let $oneOfFields;

        /**
         * Envelope message.
         * @member {"tensor"|"roundStart"|"stepDone"|"commit"|"abandon"|"adapterBegin"|"adapterChunk"|"ping"|"pong"|"hello"|"welcome"|"ready"|"goodbye"|"error"|undefined} message
         * @memberof narrowband.Envelope
         * @instance
         */
        $Object.defineProperty(Envelope.prototype, "message", {
            get: $util.oneOfGetter($oneOfFields = ["tensor", "roundStart", "stepDone", "commit", "abandon", "adapterBegin", "adapterChunk", "ping", "pong", "hello", "welcome", "ready", "goodbye", "error"]),
            set: $util.oneOfSetter($oneOfFields)
        });

        /**
         * Encodes the specified Envelope message. Does not implicitly {@link narrowband.Envelope.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Envelope
         * @static
         * @param {narrowband.Envelope.$Properties} message Envelope message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Envelope.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.job != null && $Object.hasOwnProperty.call(message, "job") && message.job !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.job);
            if (message.client != null && $Object.hasOwnProperty.call(message, "client") && message.client !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.client);
            if (message.tensor != null && $Object.hasOwnProperty.call(message, "tensor"))
                $root.narrowband.Tensor.encode(message.tensor, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
            if (message.roundStart != null && $Object.hasOwnProperty.call(message, "roundStart"))
                $root.narrowband.RoundStart.encode(message.roundStart, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
            if (message.stepDone != null && $Object.hasOwnProperty.call(message, "stepDone"))
                $root.narrowband.StepDone.encode(message.stepDone, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
            if (message.commit != null && $Object.hasOwnProperty.call(message, "commit"))
                $root.narrowband.Commit.encode(message.commit, writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
            if (message.abandon != null && $Object.hasOwnProperty.call(message, "abandon"))
                $root.narrowband.Abandon.encode(message.abandon, writer.uint32(/* id 7, wireType 2 =*/58).fork(), _depth + 1).ldelim();
            if (message.adapterBegin != null && $Object.hasOwnProperty.call(message, "adapterBegin"))
                $root.narrowband.AdapterBegin.encode(message.adapterBegin, writer.uint32(/* id 8, wireType 2 =*/66).fork(), _depth + 1).ldelim();
            if (message.adapterChunk != null && $Object.hasOwnProperty.call(message, "adapterChunk"))
                $root.narrowband.AdapterChunk.encode(message.adapterChunk, writer.uint32(/* id 9, wireType 2 =*/74).fork(), _depth + 1).ldelim();
            if (message.ping != null && $Object.hasOwnProperty.call(message, "ping"))
                $root.narrowband.Ping.encode(message.ping, writer.uint32(/* id 10, wireType 2 =*/82).fork(), _depth + 1).ldelim();
            if (message.pong != null && $Object.hasOwnProperty.call(message, "pong"))
                $root.narrowband.Pong.encode(message.pong, writer.uint32(/* id 11, wireType 2 =*/90).fork(), _depth + 1).ldelim();
            if (message.hello != null && $Object.hasOwnProperty.call(message, "hello"))
                $root.narrowband.Hello.encode(message.hello, writer.uint32(/* id 16, wireType 2 =*/130).fork(), _depth + 1).ldelim();
            if (message.welcome != null && $Object.hasOwnProperty.call(message, "welcome"))
                $root.narrowband.Welcome.encode(message.welcome, writer.uint32(/* id 17, wireType 2 =*/138).fork(), _depth + 1).ldelim();
            if (message.ready != null && $Object.hasOwnProperty.call(message, "ready"))
                $root.narrowband.Ready.encode(message.ready, writer.uint32(/* id 18, wireType 2 =*/146).fork(), _depth + 1).ldelim();
            if (message.goodbye != null && $Object.hasOwnProperty.call(message, "goodbye"))
                $root.narrowband.Goodbye.encode(message.goodbye, writer.uint32(/* id 19, wireType 2 =*/154).fork(), _depth + 1).ldelim();
            if (message.error != null && $Object.hasOwnProperty.call(message, "error"))
                $root.narrowband.Error.encode(message.error, writer.uint32(/* id 20, wireType 2 =*/162).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an Envelope message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Envelope
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Envelope & narrowband.Envelope.$Shape} Envelope
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Envelope.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Envelope();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.job = value;
                        else
                            delete message.job;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.client = value;
                        else
                            delete message.client;
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        message.tensor = $root.narrowband.Tensor.decode(reader, reader.size(), $undefined, _depth + 1, message.tensor);
                        message.message = "tensor";
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        message.roundStart = $root.narrowband.RoundStart.decode(reader, reader.size(), $undefined, _depth + 1, message.roundStart);
                        message.message = "roundStart";
                        continue;
                    }
                case 5: {
                        if (wireType !== 2)
                            break;
                        message.stepDone = $root.narrowband.StepDone.decode(reader, reader.size(), $undefined, _depth + 1, message.stepDone);
                        message.message = "stepDone";
                        continue;
                    }
                case 6: {
                        if (wireType !== 2)
                            break;
                        message.commit = $root.narrowband.Commit.decode(reader, reader.size(), $undefined, _depth + 1, message.commit);
                        message.message = "commit";
                        continue;
                    }
                case 7: {
                        if (wireType !== 2)
                            break;
                        message.abandon = $root.narrowband.Abandon.decode(reader, reader.size(), $undefined, _depth + 1, message.abandon);
                        message.message = "abandon";
                        continue;
                    }
                case 8: {
                        if (wireType !== 2)
                            break;
                        message.adapterBegin = $root.narrowband.AdapterBegin.decode(reader, reader.size(), $undefined, _depth + 1, message.adapterBegin);
                        message.message = "adapterBegin";
                        continue;
                    }
                case 9: {
                        if (wireType !== 2)
                            break;
                        message.adapterChunk = $root.narrowband.AdapterChunk.decode(reader, reader.size(), $undefined, _depth + 1, message.adapterChunk);
                        message.message = "adapterChunk";
                        continue;
                    }
                case 10: {
                        if (wireType !== 2)
                            break;
                        message.ping = $root.narrowband.Ping.decode(reader, reader.size(), $undefined, _depth + 1, message.ping);
                        message.message = "ping";
                        continue;
                    }
                case 11: {
                        if (wireType !== 2)
                            break;
                        message.pong = $root.narrowband.Pong.decode(reader, reader.size(), $undefined, _depth + 1, message.pong);
                        message.message = "pong";
                        continue;
                    }
                case 16: {
                        if (wireType !== 2)
                            break;
                        message.hello = $root.narrowband.Hello.decode(reader, reader.size(), $undefined, _depth + 1, message.hello);
                        message.message = "hello";
                        continue;
                    }
                case 17: {
                        if (wireType !== 2)
                            break;
                        message.welcome = $root.narrowband.Welcome.decode(reader, reader.size(), $undefined, _depth + 1, message.welcome);
                        message.message = "welcome";
                        continue;
                    }
                case 18: {
                        if (wireType !== 2)
                            break;
                        message.ready = $root.narrowband.Ready.decode(reader, reader.size(), $undefined, _depth + 1, message.ready);
                        message.message = "ready";
                        continue;
                    }
                case 19: {
                        if (wireType !== 2)
                            break;
                        message.goodbye = $root.narrowband.Goodbye.decode(reader, reader.size(), $undefined, _depth + 1, message.goodbye);
                        message.message = "goodbye";
                        continue;
                    }
                case 20: {
                        if (wireType !== 2)
                            break;
                        message.error = $root.narrowband.Error.decode(reader, reader.size(), $undefined, _depth + 1, message.error);
                        message.message = "error";
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates an Envelope message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Envelope
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Envelope} Envelope
         */
        Envelope.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Envelope)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Envelope: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.Envelope();
            if (object.job != null)
                if ($Number(object.job) !== 0)
                    message.job = object.job >>> 0;
            if (object.client != null)
                if ($Number(object.client) !== 0)
                    message.client = object.client >>> 0;
            if (object.tensor != null) {
                if (!$util.isObject(object.tensor))
                    throw $TypeError(".narrowband.Envelope.tensor: object expected");
                message.tensor = $root.narrowband.Tensor.fromObject(object.tensor, _depth + 1);
            }
            if (object.roundStart != null) {
                if (!$util.isObject(object.roundStart))
                    throw $TypeError(".narrowband.Envelope.roundStart: object expected");
                message.roundStart = $root.narrowband.RoundStart.fromObject(object.roundStart, _depth + 1);
            }
            if (object.stepDone != null) {
                if (!$util.isObject(object.stepDone))
                    throw $TypeError(".narrowband.Envelope.stepDone: object expected");
                message.stepDone = $root.narrowband.StepDone.fromObject(object.stepDone, _depth + 1);
            }
            if (object.commit != null) {
                if (!$util.isObject(object.commit))
                    throw $TypeError(".narrowband.Envelope.commit: object expected");
                message.commit = $root.narrowband.Commit.fromObject(object.commit, _depth + 1);
            }
            if (object.abandon != null) {
                if (!$util.isObject(object.abandon))
                    throw $TypeError(".narrowband.Envelope.abandon: object expected");
                message.abandon = $root.narrowband.Abandon.fromObject(object.abandon, _depth + 1);
            }
            if (object.adapterBegin != null) {
                if (!$util.isObject(object.adapterBegin))
                    throw $TypeError(".narrowband.Envelope.adapterBegin: object expected");
                message.adapterBegin = $root.narrowband.AdapterBegin.fromObject(object.adapterBegin, _depth + 1);
            }
            if (object.adapterChunk != null) {
                if (!$util.isObject(object.adapterChunk))
                    throw $TypeError(".narrowband.Envelope.adapterChunk: object expected");
                message.adapterChunk = $root.narrowband.AdapterChunk.fromObject(object.adapterChunk, _depth + 1);
            }
            if (object.ping != null) {
                if (!$util.isObject(object.ping))
                    throw $TypeError(".narrowband.Envelope.ping: object expected");
                message.ping = $root.narrowband.Ping.fromObject(object.ping, _depth + 1);
            }
            if (object.pong != null) {
                if (!$util.isObject(object.pong))
                    throw $TypeError(".narrowband.Envelope.pong: object expected");
                message.pong = $root.narrowband.Pong.fromObject(object.pong, _depth + 1);
            }
            if (object.hello != null) {
                if (!$util.isObject(object.hello))
                    throw $TypeError(".narrowband.Envelope.hello: object expected");
                message.hello = $root.narrowband.Hello.fromObject(object.hello, _depth + 1);
            }
            if (object.welcome != null) {
                if (!$util.isObject(object.welcome))
                    throw $TypeError(".narrowband.Envelope.welcome: object expected");
                message.welcome = $root.narrowband.Welcome.fromObject(object.welcome, _depth + 1);
            }
            if (object.ready != null) {
                if (!$util.isObject(object.ready))
                    throw $TypeError(".narrowband.Envelope.ready: object expected");
                message.ready = $root.narrowband.Ready.fromObject(object.ready, _depth + 1);
            }
            if (object.goodbye != null) {
                if (!$util.isObject(object.goodbye))
                    throw $TypeError(".narrowband.Envelope.goodbye: object expected");
                message.goodbye = $root.narrowband.Goodbye.fromObject(object.goodbye, _depth + 1);
            }
            if (object.error != null) {
                if (!$util.isObject(object.error))
                    throw $TypeError(".narrowband.Envelope.error: object expected");
                message.error = $root.narrowband.Error.fromObject(object.error, _depth + 1);
            }
            return message;
        };

        /**
         * Creates a plain object from an Envelope message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Envelope
         * @static
         * @param {narrowband.Envelope} message Envelope
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Envelope.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.job = 0;
                object.client = 0;
            }
            if (message.job != null && $Object.hasOwnProperty.call(message, "job"))
                object.job = message.job;
            if (message.client != null && $Object.hasOwnProperty.call(message, "client"))
                object.client = message.client;
            if (message.tensor != null && $Object.hasOwnProperty.call(message, "tensor")) {
                object.tensor = $root.narrowband.Tensor.toObject(message.tensor, options, _depth + 1);
                if (options.oneofs)
                    object.message = "tensor";
            }
            if (message.roundStart != null && $Object.hasOwnProperty.call(message, "roundStart")) {
                object.roundStart = $root.narrowband.RoundStart.toObject(message.roundStart, options, _depth + 1);
                if (options.oneofs)
                    object.message = "roundStart";
            }
            if (message.stepDone != null && $Object.hasOwnProperty.call(message, "stepDone")) {
                object.stepDone = $root.narrowband.StepDone.toObject(message.stepDone, options, _depth + 1);
                if (options.oneofs)
                    object.message = "stepDone";
            }
            if (message.commit != null && $Object.hasOwnProperty.call(message, "commit")) {
                object.commit = $root.narrowband.Commit.toObject(message.commit, options, _depth + 1);
                if (options.oneofs)
                    object.message = "commit";
            }
            if (message.abandon != null && $Object.hasOwnProperty.call(message, "abandon")) {
                object.abandon = $root.narrowband.Abandon.toObject(message.abandon, options, _depth + 1);
                if (options.oneofs)
                    object.message = "abandon";
            }
            if (message.adapterBegin != null && $Object.hasOwnProperty.call(message, "adapterBegin")) {
                object.adapterBegin = $root.narrowband.AdapterBegin.toObject(message.adapterBegin, options, _depth + 1);
                if (options.oneofs)
                    object.message = "adapterBegin";
            }
            if (message.adapterChunk != null && $Object.hasOwnProperty.call(message, "adapterChunk")) {
                object.adapterChunk = $root.narrowband.AdapterChunk.toObject(message.adapterChunk, options, _depth + 1);
                if (options.oneofs)
                    object.message = "adapterChunk";
            }
            if (message.ping != null && $Object.hasOwnProperty.call(message, "ping")) {
                object.ping = $root.narrowband.Ping.toObject(message.ping, options, _depth + 1);
                if (options.oneofs)
                    object.message = "ping";
            }
            if (message.pong != null && $Object.hasOwnProperty.call(message, "pong")) {
                object.pong = $root.narrowband.Pong.toObject(message.pong, options, _depth + 1);
                if (options.oneofs)
                    object.message = "pong";
            }
            if (message.hello != null && $Object.hasOwnProperty.call(message, "hello")) {
                object.hello = $root.narrowband.Hello.toObject(message.hello, options, _depth + 1);
                if (options.oneofs)
                    object.message = "hello";
            }
            if (message.welcome != null && $Object.hasOwnProperty.call(message, "welcome")) {
                object.welcome = $root.narrowband.Welcome.toObject(message.welcome, options, _depth + 1);
                if (options.oneofs)
                    object.message = "welcome";
            }
            if (message.ready != null && $Object.hasOwnProperty.call(message, "ready")) {
                object.ready = $root.narrowband.Ready.toObject(message.ready, options, _depth + 1);
                if (options.oneofs)
                    object.message = "ready";
            }
            if (message.goodbye != null && $Object.hasOwnProperty.call(message, "goodbye")) {
                object.goodbye = $root.narrowband.Goodbye.toObject(message.goodbye, options, _depth + 1);
                if (options.oneofs)
                    object.message = "goodbye";
            }
            if (message.error != null && $Object.hasOwnProperty.call(message, "error")) {
                object.error = $root.narrowband.Error.toObject(message.error, options, _depth + 1);
                if (options.oneofs)
                    object.message = "error";
            }
            return object;
        };

        /**
         * Converts this Envelope to JSON.
         * @function toJSON
         * @memberof narrowband.Envelope
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Envelope.prototype.toJSON = function() {
            return Envelope.toObject(this, $protobuf.util.toJSONOptions);
        };

        return Envelope;
    })();

    /**
     * Phase enum.
     * @name narrowband.Phase
     * @enum {number}
     * @property {number} PHASE_UNSPECIFIED=0 PHASE_UNSPECIFIED value
     * @property {number} A1=1 A1 value
     * @property {number} A2=2 A2 value
     * @property {number} G2=3 G2 value
     * @property {number} G1=4 G1 value
     */
    narrowband.Phase = (function() {
        const valuesById = $Object.create(null), values = $Object.create(valuesById);
        values[valuesById[0] = "PHASE_UNSPECIFIED"] = 0;
        values[valuesById[1] = "A1"] = 1;
        values[valuesById[2] = "A2"] = 2;
        values[valuesById[3] = "G2"] = 3;
        values[valuesById[4] = "G1"] = 4;
        return values;
    })();

    narrowband.Tensor = (function() {

        /**
         * Properties of a Tensor.
         * @typedef {Object} narrowband.Tensor.$Properties
         * @property {number|null} [step] Tensor step
         * @property {number|null} [attempt] Tensor attempt
         * @property {number|null} [microBatch] Tensor microBatch
         * @property {narrowband.Phase|null} [phase] Tensor phase
         * @property {number|null} [tokens] Tensor tokens
         * @property {Array.<number>|null} [lengths] Tensor lengths
         * @property {number|null} [channels] Tensor channels
         * @property {number|null} [codec] Tensor codec
         * @property {number|null} [bitTableVersion] Tensor bitTableVersion
         * @property {number|null} [bitTableBytes] Tensor bitTableBytes
         * @property {number|null} [scaleBytes] Tensor scaleBytes
         * @property {number|null} [labelBytes] Tensor labelBytes
         * @property {number|null} [lossSum] Tensor lossSum
         * @property {number|null} [supervisedTokens] Tensor supervisedTokens
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Tensor.
         * @memberof narrowband
         * @interface ITensor
         * @augments narrowband.Tensor.$Properties
         * @deprecated Use narrowband.Tensor.$Properties instead.
         */

        /**
         * Shape of a Tensor.
         * @typedef {narrowband.Tensor.$Properties} narrowband.Tensor.$Shape
         */

        /**
         * Constructs a new Tensor.
         * @memberof narrowband
         * @classdesc Represents a Tensor.
         * @constructor
         * @param {narrowband.Tensor.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Tensor = function (properties) {
            this.lengths = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Tensor step.
         * @member {number} step
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.step = 0;

        /**
         * Tensor attempt.
         * @member {number} attempt
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.attempt = 0;

        /**
         * Tensor microBatch.
         * @member {number} microBatch
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.microBatch = 0;

        /**
         * Tensor phase.
         * @member {narrowband.Phase} phase
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.phase = 0;

        /**
         * Tensor tokens.
         * @member {number} tokens
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.tokens = 0;

        /**
         * Tensor lengths.
         * @member {Array.<number>} lengths
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.lengths = $util.emptyArray;

        /**
         * Tensor channels.
         * @member {number} channels
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.channels = 0;

        /**
         * Tensor codec.
         * @member {number} codec
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.codec = 0;

        /**
         * Tensor bitTableVersion.
         * @member {number} bitTableVersion
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.bitTableVersion = 0;

        /**
         * Tensor bitTableBytes.
         * @member {number} bitTableBytes
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.bitTableBytes = 0;

        /**
         * Tensor scaleBytes.
         * @member {number} scaleBytes
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.scaleBytes = 0;

        /**
         * Tensor labelBytes.
         * @member {number} labelBytes
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.labelBytes = 0;

        /**
         * Tensor lossSum.
         * @member {number} lossSum
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.lossSum = 0;

        /**
         * Tensor supervisedTokens.
         * @member {number} supervisedTokens
         * @memberof narrowband.Tensor
         * @instance
         */
        Tensor.prototype.supervisedTokens = 0;

        /**
         * Encodes the specified Tensor message. Does not implicitly {@link narrowband.Tensor.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Tensor
         * @static
         * @param {narrowband.Tensor.$Properties} message Tensor message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Tensor.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.step != null && $Object.hasOwnProperty.call(message, "step") && message.step !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.step);
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt") && message.attempt !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.attempt);
            if (message.microBatch != null && $Object.hasOwnProperty.call(message, "microBatch") && message.microBatch !== 0)
                writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.microBatch);
            if (message.phase != null && $Object.hasOwnProperty.call(message, "phase") && message.phase !== 0)
                writer.uint32(/* id 4, wireType 0 =*/32).int32(message.phase);
            if (message.tokens != null && $Object.hasOwnProperty.call(message, "tokens") && message.tokens !== 0)
                writer.uint32(/* id 5, wireType 0 =*/40).uint32(message.tokens);
            if (message.lengths != null && message.lengths.length)
                writer.uint32(/* id 6, wireType 2 =*/50).uint32s(message.lengths);
            if (message.channels != null && $Object.hasOwnProperty.call(message, "channels") && message.channels !== 0)
                writer.uint32(/* id 7, wireType 0 =*/56).uint32(message.channels);
            if (message.codec != null && $Object.hasOwnProperty.call(message, "codec") && message.codec !== 0)
                writer.uint32(/* id 8, wireType 0 =*/64).uint32(message.codec);
            if (message.bitTableVersion != null && $Object.hasOwnProperty.call(message, "bitTableVersion") && message.bitTableVersion !== 0)
                writer.uint32(/* id 9, wireType 0 =*/72).uint32(message.bitTableVersion);
            if (message.bitTableBytes != null && $Object.hasOwnProperty.call(message, "bitTableBytes") && message.bitTableBytes !== 0)
                writer.uint32(/* id 10, wireType 0 =*/80).uint32(message.bitTableBytes);
            if (message.scaleBytes != null && $Object.hasOwnProperty.call(message, "scaleBytes") && message.scaleBytes !== 0)
                writer.uint32(/* id 11, wireType 0 =*/88).uint32(message.scaleBytes);
            if (message.labelBytes != null && $Object.hasOwnProperty.call(message, "labelBytes") && message.labelBytes !== 0)
                writer.uint32(/* id 12, wireType 0 =*/96).uint32(message.labelBytes);
            if (message.lossSum != null && $Object.hasOwnProperty.call(message, "lossSum") && !$Object.is(message.lossSum, 0))
                writer.uint32(/* id 13, wireType 1 =*/105).double(message.lossSum);
            if (message.supervisedTokens != null && $Object.hasOwnProperty.call(message, "supervisedTokens") && message.supervisedTokens !== 0)
                writer.uint32(/* id 14, wireType 0 =*/112).uint32(message.supervisedTokens);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Tensor message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Tensor
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Tensor & narrowband.Tensor.$Shape} Tensor
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Tensor.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Tensor();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.step = value;
                        else
                            delete message.step;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.attempt = value;
                        else
                            delete message.attempt;
                        continue;
                    }
                case 3: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.microBatch = value;
                        else
                            delete message.microBatch;
                        continue;
                    }
                case 4: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.phase = value;
                        else
                            delete message.phase;
                        continue;
                    }
                case 5: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.tokens = value;
                        else
                            delete message.tokens;
                        continue;
                    }
                case 6: {
                        if (wireType === 2) {
                            if (!(message.lengths && message.lengths.length))
                                message.lengths = [];
                            reader.uint32s(message.lengths);
                            continue;
                        }
                        if (wireType !== 0)
                            break;
                        if (!(message.lengths && message.lengths.length))
                            message.lengths = [];
                        message.lengths.push(reader.uint32());
                        continue;
                    }
                case 7: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.channels = value;
                        else
                            delete message.channels;
                        continue;
                    }
                case 8: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.codec = value;
                        else
                            delete message.codec;
                        continue;
                    }
                case 9: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.bitTableVersion = value;
                        else
                            delete message.bitTableVersion;
                        continue;
                    }
                case 10: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.bitTableBytes = value;
                        else
                            delete message.bitTableBytes;
                        continue;
                    }
                case 11: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.scaleBytes = value;
                        else
                            delete message.scaleBytes;
                        continue;
                    }
                case 12: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.labelBytes = value;
                        else
                            delete message.labelBytes;
                        continue;
                    }
                case 13: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.lossSum = value;
                        else
                            delete message.lossSum;
                        continue;
                    }
                case 14: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.supervisedTokens = value;
                        else
                            delete message.supervisedTokens;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a Tensor message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Tensor
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Tensor} Tensor
         */
        Tensor.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Tensor)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Tensor: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.Tensor();
            if (object.step != null)
                if ($Number(object.step) !== 0)
                    message.step = object.step >>> 0;
            if (object.attempt != null)
                if ($Number(object.attempt) !== 0)
                    message.attempt = object.attempt >>> 0;
            if (object.microBatch != null)
                if ($Number(object.microBatch) !== 0)
                    message.microBatch = object.microBatch >>> 0;
            if (object.phase !== 0 && (typeof object.phase !== "string" || $root.narrowband.Phase[object.phase] !== 0))
                switch (object.phase) {
                case "PHASE_UNSPECIFIED":
                case 0:
                    message.phase = 0;
                    break;
                case "A1":
                case 1:
                    message.phase = 1;
                    break;
                case "A2":
                case 2:
                    message.phase = 2;
                    break;
                case "G2":
                case 3:
                    message.phase = 3;
                    break;
                case "G1":
                case 4:
                    message.phase = 4;
                    break;
                default:
                    if (typeof object.phase === "number" && (object.phase | 0) === object.phase)
                        message.phase = object.phase;
                }
            if (object.tokens != null)
                if ($Number(object.tokens) !== 0)
                    message.tokens = object.tokens >>> 0;
            if (object.lengths) {
                if (!$Array.isArray(object.lengths))
                    throw $TypeError(".narrowband.Tensor.lengths: array expected");
                message.lengths = $Array(object.lengths.length);
                for (let i = 0; i < object.lengths.length; ++i)
                    message.lengths[i] = object.lengths[i] >>> 0;
            }
            if (object.channels != null)
                if ($Number(object.channels) !== 0)
                    message.channels = object.channels >>> 0;
            if (object.codec != null)
                if ($Number(object.codec) !== 0)
                    message.codec = object.codec >>> 0;
            if (object.bitTableVersion != null)
                if ($Number(object.bitTableVersion) !== 0)
                    message.bitTableVersion = object.bitTableVersion >>> 0;
            if (object.bitTableBytes != null)
                if ($Number(object.bitTableBytes) !== 0)
                    message.bitTableBytes = object.bitTableBytes >>> 0;
            if (object.scaleBytes != null)
                if ($Number(object.scaleBytes) !== 0)
                    message.scaleBytes = object.scaleBytes >>> 0;
            if (object.labelBytes != null)
                if ($Number(object.labelBytes) !== 0)
                    message.labelBytes = object.labelBytes >>> 0;
            if (object.lossSum != null)
                if (!$Object.is($Number(object.lossSum), 0))
                    message.lossSum = $Number(object.lossSum);
            if (object.supervisedTokens != null)
                if ($Number(object.supervisedTokens) !== 0)
                    message.supervisedTokens = object.supervisedTokens >>> 0;
            return message;
        };

        /**
         * Creates a plain object from a Tensor message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Tensor
         * @static
         * @param {narrowband.Tensor} message Tensor
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Tensor.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.arrays || options.defaults)
                object.lengths = [];
            if (options.defaults) {
                object.step = 0;
                object.attempt = 0;
                object.microBatch = 0;
                object.phase = options.enums === $String ? "PHASE_UNSPECIFIED" : 0;
                object.tokens = 0;
                object.channels = 0;
                object.codec = 0;
                object.bitTableVersion = 0;
                object.bitTableBytes = 0;
                object.scaleBytes = 0;
                object.labelBytes = 0;
                object.lossSum = 0;
                object.supervisedTokens = 0;
            }
            if (message.step != null && $Object.hasOwnProperty.call(message, "step"))
                object.step = message.step;
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt"))
                object.attempt = message.attempt;
            if (message.microBatch != null && $Object.hasOwnProperty.call(message, "microBatch"))
                object.microBatch = message.microBatch;
            if (message.phase != null && $Object.hasOwnProperty.call(message, "phase"))
                object.phase = options.enums === $String ? $root.narrowband.Phase[message.phase] === $undefined ? message.phase : $root.narrowband.Phase[message.phase] : message.phase;
            if (message.tokens != null && $Object.hasOwnProperty.call(message, "tokens"))
                object.tokens = message.tokens;
            if (message.lengths && message.lengths.length) {
                object.lengths = $Array(message.lengths.length);
                for (let j = 0; j < message.lengths.length; ++j)
                    object.lengths[j] = message.lengths[j];
            }
            if (message.channels != null && $Object.hasOwnProperty.call(message, "channels"))
                object.channels = message.channels;
            if (message.codec != null && $Object.hasOwnProperty.call(message, "codec"))
                object.codec = message.codec;
            if (message.bitTableVersion != null && $Object.hasOwnProperty.call(message, "bitTableVersion"))
                object.bitTableVersion = message.bitTableVersion;
            if (message.bitTableBytes != null && $Object.hasOwnProperty.call(message, "bitTableBytes"))
                object.bitTableBytes = message.bitTableBytes;
            if (message.scaleBytes != null && $Object.hasOwnProperty.call(message, "scaleBytes"))
                object.scaleBytes = message.scaleBytes;
            if (message.labelBytes != null && $Object.hasOwnProperty.call(message, "labelBytes"))
                object.labelBytes = message.labelBytes;
            if (message.lossSum != null && $Object.hasOwnProperty.call(message, "lossSum"))
                object.lossSum = options.json && !$isFinite(message.lossSum) ? $String(message.lossSum) : message.lossSum;
            if (message.supervisedTokens != null && $Object.hasOwnProperty.call(message, "supervisedTokens"))
                object.supervisedTokens = message.supervisedTokens;
            return object;
        };

        /**
         * Converts this Tensor to JSON.
         * @function toJSON
         * @memberof narrowband.Tensor
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Tensor.prototype.toJSON = function() {
            return Tensor.toObject(this, $protobuf.util.toJSONOptions);
        };

        return Tensor;
    })();

    narrowband.RoundStart = (function() {

        /**
         * Properties of a RoundStart.
         * @typedef {Object} narrowband.RoundStart.$Properties
         * @property {number|null} [step] RoundStart step
         * @property {number|null} [attempt] RoundStart attempt
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a RoundStart.
         * @memberof narrowband
         * @interface IRoundStart
         * @augments narrowband.RoundStart.$Properties
         * @deprecated Use narrowband.RoundStart.$Properties instead.
         */

        /**
         * Shape of a RoundStart.
         * @typedef {narrowband.RoundStart.$Properties} narrowband.RoundStart.$Shape
         */

        /**
         * Constructs a new RoundStart.
         * @memberof narrowband
         * @classdesc Represents a RoundStart.
         * @constructor
         * @param {narrowband.RoundStart.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const RoundStart = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * RoundStart step.
         * @member {number} step
         * @memberof narrowband.RoundStart
         * @instance
         */
        RoundStart.prototype.step = 0;

        /**
         * RoundStart attempt.
         * @member {number} attempt
         * @memberof narrowband.RoundStart
         * @instance
         */
        RoundStart.prototype.attempt = 0;

        /**
         * Encodes the specified RoundStart message. Does not implicitly {@link narrowband.RoundStart.verify|verify} messages.
         * @function encode
         * @memberof narrowband.RoundStart
         * @static
         * @param {narrowband.RoundStart.$Properties} message RoundStart message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        RoundStart.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.step != null && $Object.hasOwnProperty.call(message, "step") && message.step !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.step);
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt") && message.attempt !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.attempt);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a RoundStart message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.RoundStart
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.RoundStart & narrowband.RoundStart.$Shape} RoundStart
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        RoundStart.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.RoundStart();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.step = value;
                        else
                            delete message.step;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.attempt = value;
                        else
                            delete message.attempt;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a RoundStart message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.RoundStart
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.RoundStart} RoundStart
         */
        RoundStart.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.RoundStart)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.RoundStart: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.RoundStart();
            if (object.step != null)
                if ($Number(object.step) !== 0)
                    message.step = object.step >>> 0;
            if (object.attempt != null)
                if ($Number(object.attempt) !== 0)
                    message.attempt = object.attempt >>> 0;
            return message;
        };

        /**
         * Creates a plain object from a RoundStart message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.RoundStart
         * @static
         * @param {narrowband.RoundStart} message RoundStart
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        RoundStart.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.step = 0;
                object.attempt = 0;
            }
            if (message.step != null && $Object.hasOwnProperty.call(message, "step"))
                object.step = message.step;
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt"))
                object.attempt = message.attempt;
            return object;
        };

        /**
         * Converts this RoundStart to JSON.
         * @function toJSON
         * @memberof narrowband.RoundStart
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        RoundStart.prototype.toJSON = function() {
            return RoundStart.toObject(this, $protobuf.util.toJSONOptions);
        };

        return RoundStart;
    })();

    narrowband.StepDone = (function() {

        /**
         * Properties of a StepDone.
         * @typedef {Object} narrowband.StepDone.$Properties
         * @property {number|null} [step] StepDone step
         * @property {number|null} [attempt] StepDone attempt
         * @property {number|null} [lossSum] StepDone lossSum
         * @property {number|null} [supervisedTokens] StepDone supervisedTokens
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a StepDone.
         * @memberof narrowband
         * @interface IStepDone
         * @augments narrowband.StepDone.$Properties
         * @deprecated Use narrowband.StepDone.$Properties instead.
         */

        /**
         * Shape of a StepDone.
         * @typedef {narrowband.StepDone.$Properties} narrowband.StepDone.$Shape
         */

        /**
         * Constructs a new StepDone.
         * @memberof narrowband
         * @classdesc Represents a StepDone.
         * @constructor
         * @param {narrowband.StepDone.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const StepDone = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * StepDone step.
         * @member {number} step
         * @memberof narrowband.StepDone
         * @instance
         */
        StepDone.prototype.step = 0;

        /**
         * StepDone attempt.
         * @member {number} attempt
         * @memberof narrowband.StepDone
         * @instance
         */
        StepDone.prototype.attempt = 0;

        /**
         * StepDone lossSum.
         * @member {number} lossSum
         * @memberof narrowband.StepDone
         * @instance
         */
        StepDone.prototype.lossSum = 0;

        /**
         * StepDone supervisedTokens.
         * @member {number} supervisedTokens
         * @memberof narrowband.StepDone
         * @instance
         */
        StepDone.prototype.supervisedTokens = 0;

        /**
         * Encodes the specified StepDone message. Does not implicitly {@link narrowband.StepDone.verify|verify} messages.
         * @function encode
         * @memberof narrowband.StepDone
         * @static
         * @param {narrowband.StepDone.$Properties} message StepDone message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        StepDone.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.step != null && $Object.hasOwnProperty.call(message, "step") && message.step !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.step);
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt") && message.attempt !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.attempt);
            if (message.lossSum != null && $Object.hasOwnProperty.call(message, "lossSum") && !$Object.is(message.lossSum, 0))
                writer.uint32(/* id 3, wireType 1 =*/25).double(message.lossSum);
            if (message.supervisedTokens != null && $Object.hasOwnProperty.call(message, "supervisedTokens") && message.supervisedTokens !== 0)
                writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.supervisedTokens);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a StepDone message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.StepDone
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.StepDone & narrowband.StepDone.$Shape} StepDone
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        StepDone.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.StepDone();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.step = value;
                        else
                            delete message.step;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.attempt = value;
                        else
                            delete message.attempt;
                        continue;
                    }
                case 3: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.lossSum = value;
                        else
                            delete message.lossSum;
                        continue;
                    }
                case 4: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.supervisedTokens = value;
                        else
                            delete message.supervisedTokens;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a StepDone message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.StepDone
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.StepDone} StepDone
         */
        StepDone.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.StepDone)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.StepDone: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.StepDone();
            if (object.step != null)
                if ($Number(object.step) !== 0)
                    message.step = object.step >>> 0;
            if (object.attempt != null)
                if ($Number(object.attempt) !== 0)
                    message.attempt = object.attempt >>> 0;
            if (object.lossSum != null)
                if (!$Object.is($Number(object.lossSum), 0))
                    message.lossSum = $Number(object.lossSum);
            if (object.supervisedTokens != null)
                if ($Number(object.supervisedTokens) !== 0)
                    message.supervisedTokens = object.supervisedTokens >>> 0;
            return message;
        };

        /**
         * Creates a plain object from a StepDone message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.StepDone
         * @static
         * @param {narrowband.StepDone} message StepDone
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        StepDone.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.step = 0;
                object.attempt = 0;
                object.lossSum = 0;
                object.supervisedTokens = 0;
            }
            if (message.step != null && $Object.hasOwnProperty.call(message, "step"))
                object.step = message.step;
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt"))
                object.attempt = message.attempt;
            if (message.lossSum != null && $Object.hasOwnProperty.call(message, "lossSum"))
                object.lossSum = options.json && !$isFinite(message.lossSum) ? $String(message.lossSum) : message.lossSum;
            if (message.supervisedTokens != null && $Object.hasOwnProperty.call(message, "supervisedTokens"))
                object.supervisedTokens = message.supervisedTokens;
            return object;
        };

        /**
         * Converts this StepDone to JSON.
         * @function toJSON
         * @memberof narrowband.StepDone
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        StepDone.prototype.toJSON = function() {
            return StepDone.toObject(this, $protobuf.util.toJSONOptions);
        };

        return StepDone;
    })();

    narrowband.Commit = (function() {

        /**
         * Properties of a Commit.
         * @typedef {Object} narrowband.Commit.$Properties
         * @property {number|null} [step] Commit step
         * @property {number|null} [attempt] Commit attempt
         * @property {number|null} [trunkStep] Commit trunkStep
         * @property {number|null} [participants] Commit participants
         * @property {number|null} [supervisedTokens] Commit supervisedTokens
         * @property {number|null} [staleness] Commit staleness
         * @property {number|null} [gradientNorm] Commit gradientNorm
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Commit.
         * @memberof narrowband
         * @interface ICommit
         * @augments narrowband.Commit.$Properties
         * @deprecated Use narrowband.Commit.$Properties instead.
         */

        /**
         * Shape of a Commit.
         * @typedef {narrowband.Commit.$Properties} narrowband.Commit.$Shape
         */

        /**
         * Constructs a new Commit.
         * @memberof narrowband
         * @classdesc Represents a Commit.
         * @constructor
         * @param {narrowband.Commit.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Commit = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Commit step.
         * @member {number} step
         * @memberof narrowband.Commit
         * @instance
         */
        Commit.prototype.step = 0;

        /**
         * Commit attempt.
         * @member {number} attempt
         * @memberof narrowband.Commit
         * @instance
         */
        Commit.prototype.attempt = 0;

        /**
         * Commit trunkStep.
         * @member {number} trunkStep
         * @memberof narrowband.Commit
         * @instance
         */
        Commit.prototype.trunkStep = 0;

        /**
         * Commit participants.
         * @member {number} participants
         * @memberof narrowband.Commit
         * @instance
         */
        Commit.prototype.participants = 0;

        /**
         * Commit supervisedTokens.
         * @member {number} supervisedTokens
         * @memberof narrowband.Commit
         * @instance
         */
        Commit.prototype.supervisedTokens = 0;

        /**
         * Commit staleness.
         * @member {number} staleness
         * @memberof narrowband.Commit
         * @instance
         */
        Commit.prototype.staleness = 0;

        /**
         * Commit gradientNorm.
         * @member {number} gradientNorm
         * @memberof narrowband.Commit
         * @instance
         */
        Commit.prototype.gradientNorm = 0;

        /**
         * Encodes the specified Commit message. Does not implicitly {@link narrowband.Commit.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Commit
         * @static
         * @param {narrowband.Commit.$Properties} message Commit message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Commit.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.step != null && $Object.hasOwnProperty.call(message, "step") && message.step !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.step);
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt") && message.attempt !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.attempt);
            if (message.trunkStep != null && $Object.hasOwnProperty.call(message, "trunkStep") && message.trunkStep !== 0)
                writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.trunkStep);
            if (message.participants != null && $Object.hasOwnProperty.call(message, "participants") && message.participants !== 0)
                writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.participants);
            if (message.supervisedTokens != null && $Object.hasOwnProperty.call(message, "supervisedTokens") && message.supervisedTokens !== 0)
                writer.uint32(/* id 5, wireType 0 =*/40).uint32(message.supervisedTokens);
            if (message.staleness != null && $Object.hasOwnProperty.call(message, "staleness") && message.staleness !== 0)
                writer.uint32(/* id 6, wireType 0 =*/48).uint32(message.staleness);
            if (message.gradientNorm != null && $Object.hasOwnProperty.call(message, "gradientNorm") && !$Object.is(message.gradientNorm, 0))
                writer.uint32(/* id 7, wireType 1 =*/57).double(message.gradientNorm);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Commit message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Commit
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Commit & narrowband.Commit.$Shape} Commit
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Commit.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Commit();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.step = value;
                        else
                            delete message.step;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.attempt = value;
                        else
                            delete message.attempt;
                        continue;
                    }
                case 3: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.trunkStep = value;
                        else
                            delete message.trunkStep;
                        continue;
                    }
                case 4: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.participants = value;
                        else
                            delete message.participants;
                        continue;
                    }
                case 5: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.supervisedTokens = value;
                        else
                            delete message.supervisedTokens;
                        continue;
                    }
                case 6: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.staleness = value;
                        else
                            delete message.staleness;
                        continue;
                    }
                case 7: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.gradientNorm = value;
                        else
                            delete message.gradientNorm;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a Commit message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Commit
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Commit} Commit
         */
        Commit.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Commit)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Commit: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.Commit();
            if (object.step != null)
                if ($Number(object.step) !== 0)
                    message.step = object.step >>> 0;
            if (object.attempt != null)
                if ($Number(object.attempt) !== 0)
                    message.attempt = object.attempt >>> 0;
            if (object.trunkStep != null)
                if ($Number(object.trunkStep) !== 0)
                    message.trunkStep = object.trunkStep >>> 0;
            if (object.participants != null)
                if ($Number(object.participants) !== 0)
                    message.participants = object.participants >>> 0;
            if (object.supervisedTokens != null)
                if ($Number(object.supervisedTokens) !== 0)
                    message.supervisedTokens = object.supervisedTokens >>> 0;
            if (object.staleness != null)
                if ($Number(object.staleness) !== 0)
                    message.staleness = object.staleness >>> 0;
            if (object.gradientNorm != null)
                if (!$Object.is($Number(object.gradientNorm), 0))
                    message.gradientNorm = $Number(object.gradientNorm);
            return message;
        };

        /**
         * Creates a plain object from a Commit message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Commit
         * @static
         * @param {narrowband.Commit} message Commit
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Commit.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.step = 0;
                object.attempt = 0;
                object.trunkStep = 0;
                object.participants = 0;
                object.supervisedTokens = 0;
                object.staleness = 0;
                object.gradientNorm = 0;
            }
            if (message.step != null && $Object.hasOwnProperty.call(message, "step"))
                object.step = message.step;
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt"))
                object.attempt = message.attempt;
            if (message.trunkStep != null && $Object.hasOwnProperty.call(message, "trunkStep"))
                object.trunkStep = message.trunkStep;
            if (message.participants != null && $Object.hasOwnProperty.call(message, "participants"))
                object.participants = message.participants;
            if (message.supervisedTokens != null && $Object.hasOwnProperty.call(message, "supervisedTokens"))
                object.supervisedTokens = message.supervisedTokens;
            if (message.staleness != null && $Object.hasOwnProperty.call(message, "staleness"))
                object.staleness = message.staleness;
            if (message.gradientNorm != null && $Object.hasOwnProperty.call(message, "gradientNorm"))
                object.gradientNorm = options.json && !$isFinite(message.gradientNorm) ? $String(message.gradientNorm) : message.gradientNorm;
            return object;
        };

        /**
         * Converts this Commit to JSON.
         * @function toJSON
         * @memberof narrowband.Commit
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Commit.prototype.toJSON = function() {
            return Commit.toObject(this, $protobuf.util.toJSONOptions);
        };

        return Commit;
    })();

    narrowband.Abandon = (function() {

        /**
         * Properties of an Abandon.
         * @typedef {Object} narrowband.Abandon.$Properties
         * @property {number|null} [step] Abandon step
         * @property {number|null} [attempt] Abandon attempt
         * @property {string|null} [code] Abandon code
         * @property {string|null} [message] Abandon message
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an Abandon.
         * @memberof narrowband
         * @interface IAbandon
         * @augments narrowband.Abandon.$Properties
         * @deprecated Use narrowband.Abandon.$Properties instead.
         */

        /**
         * Shape of an Abandon.
         * @typedef {narrowband.Abandon.$Properties} narrowband.Abandon.$Shape
         */

        /**
         * Constructs a new Abandon.
         * @memberof narrowband
         * @classdesc Represents an Abandon.
         * @constructor
         * @param {narrowband.Abandon.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Abandon = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Abandon step.
         * @member {number} step
         * @memberof narrowband.Abandon
         * @instance
         */
        Abandon.prototype.step = 0;

        /**
         * Abandon attempt.
         * @member {number} attempt
         * @memberof narrowband.Abandon
         * @instance
         */
        Abandon.prototype.attempt = 0;

        /**
         * Abandon code.
         * @member {string} code
         * @memberof narrowband.Abandon
         * @instance
         */
        Abandon.prototype.code = "";

        /**
         * Abandon message.
         * @member {string} message
         * @memberof narrowband.Abandon
         * @instance
         */
        Abandon.prototype.message = "";

        /**
         * Encodes the specified Abandon message. Does not implicitly {@link narrowband.Abandon.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Abandon
         * @static
         * @param {narrowband.Abandon.$Properties} message Abandon message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Abandon.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.step != null && $Object.hasOwnProperty.call(message, "step") && message.step !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.step);
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt") && message.attempt !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.attempt);
            if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code !== "")
                writer.uint32(/* id 3, wireType 2 =*/26).string(message.code);
            if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                writer.uint32(/* id 4, wireType 2 =*/34).string(message.message);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an Abandon message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Abandon
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Abandon & narrowband.Abandon.$Shape} Abandon
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Abandon.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Abandon();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.step = value;
                        else
                            delete message.step;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.attempt = value;
                        else
                            delete message.attempt;
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.code = value;
                        else
                            delete message.code;
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.message = value;
                        else
                            delete message.message;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates an Abandon message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Abandon
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Abandon} Abandon
         */
        Abandon.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Abandon)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Abandon: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.Abandon();
            if (object.step != null)
                if ($Number(object.step) !== 0)
                    message.step = object.step >>> 0;
            if (object.attempt != null)
                if ($Number(object.attempt) !== 0)
                    message.attempt = object.attempt >>> 0;
            if (object.code != null)
                if (typeof object.code !== "string" || object.code.length)
                    message.code = $String(object.code);
            if (object.message != null)
                if (typeof object.message !== "string" || object.message.length)
                    message.message = $String(object.message);
            return message;
        };

        /**
         * Creates a plain object from an Abandon message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Abandon
         * @static
         * @param {narrowband.Abandon} message Abandon
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Abandon.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.step = 0;
                object.attempt = 0;
                object.code = "";
                object.message = "";
            }
            if (message.step != null && $Object.hasOwnProperty.call(message, "step"))
                object.step = message.step;
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt"))
                object.attempt = message.attempt;
            if (message.code != null && $Object.hasOwnProperty.call(message, "code"))
                object.code = message.code;
            if (message.message != null && $Object.hasOwnProperty.call(message, "message"))
                object.message = message.message;
            return object;
        };

        /**
         * Converts this Abandon to JSON.
         * @function toJSON
         * @memberof narrowband.Abandon
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Abandon.prototype.toJSON = function() {
            return Abandon.toObject(this, $protobuf.util.toJSONOptions);
        };

        return Abandon;
    })();

    narrowband.AdapterBegin = (function() {

        /**
         * Properties of an AdapterBegin.
         * @typedef {Object} narrowband.AdapterBegin.$Properties
         * @property {number|null} [average] AdapterBegin average
         * @property {number|null} [manifestDigest] AdapterBegin manifestDigest
         * @property {number|null} [totalBytes] AdapterBegin totalBytes
         * @property {number|null} [chunkBytes] AdapterBegin chunkBytes
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an AdapterBegin.
         * @memberof narrowband
         * @interface IAdapterBegin
         * @augments narrowband.AdapterBegin.$Properties
         * @deprecated Use narrowband.AdapterBegin.$Properties instead.
         */

        /**
         * Shape of an AdapterBegin.
         * @typedef {narrowband.AdapterBegin.$Properties} narrowband.AdapterBegin.$Shape
         */

        /**
         * Constructs a new AdapterBegin.
         * @memberof narrowband
         * @classdesc Represents an AdapterBegin.
         * @constructor
         * @param {narrowband.AdapterBegin.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const AdapterBegin = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * AdapterBegin average.
         * @member {number} average
         * @memberof narrowband.AdapterBegin
         * @instance
         */
        AdapterBegin.prototype.average = 0;

        /**
         * AdapterBegin manifestDigest.
         * @member {number} manifestDigest
         * @memberof narrowband.AdapterBegin
         * @instance
         */
        AdapterBegin.prototype.manifestDigest = 0;

        /**
         * AdapterBegin totalBytes.
         * @member {number} totalBytes
         * @memberof narrowband.AdapterBegin
         * @instance
         */
        AdapterBegin.prototype.totalBytes = 0;

        /**
         * AdapterBegin chunkBytes.
         * @member {number} chunkBytes
         * @memberof narrowband.AdapterBegin
         * @instance
         */
        AdapterBegin.prototype.chunkBytes = 0;

        /**
         * Encodes the specified AdapterBegin message. Does not implicitly {@link narrowband.AdapterBegin.verify|verify} messages.
         * @function encode
         * @memberof narrowband.AdapterBegin
         * @static
         * @param {narrowband.AdapterBegin.$Properties} message AdapterBegin message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        AdapterBegin.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.average != null && $Object.hasOwnProperty.call(message, "average") && message.average !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.average);
            if (message.manifestDigest != null && $Object.hasOwnProperty.call(message, "manifestDigest") && message.manifestDigest !== 0)
                writer.uint32(/* id 2, wireType 5 =*/21).fixed32(message.manifestDigest);
            if (message.totalBytes != null && $Object.hasOwnProperty.call(message, "totalBytes") && message.totalBytes !== 0)
                writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.totalBytes);
            if (message.chunkBytes != null && $Object.hasOwnProperty.call(message, "chunkBytes") && message.chunkBytes !== 0)
                writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.chunkBytes);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an AdapterBegin message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.AdapterBegin
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.AdapterBegin & narrowband.AdapterBegin.$Shape} AdapterBegin
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        AdapterBegin.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.AdapterBegin();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.average = value;
                        else
                            delete message.average;
                        continue;
                    }
                case 2: {
                        if (wireType !== 5)
                            break;
                        if (value = reader.fixed32())
                            message.manifestDigest = value;
                        else
                            delete message.manifestDigest;
                        continue;
                    }
                case 3: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.totalBytes = value;
                        else
                            delete message.totalBytes;
                        continue;
                    }
                case 4: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.chunkBytes = value;
                        else
                            delete message.chunkBytes;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates an AdapterBegin message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.AdapterBegin
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.AdapterBegin} AdapterBegin
         */
        AdapterBegin.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.AdapterBegin)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.AdapterBegin: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.AdapterBegin();
            if (object.average != null)
                if ($Number(object.average) !== 0)
                    message.average = object.average >>> 0;
            if (object.manifestDigest != null)
                if ($Number(object.manifestDigest) !== 0)
                    message.manifestDigest = object.manifestDigest >>> 0;
            if (object.totalBytes != null)
                if ($Number(object.totalBytes) !== 0)
                    message.totalBytes = object.totalBytes >>> 0;
            if (object.chunkBytes != null)
                if ($Number(object.chunkBytes) !== 0)
                    message.chunkBytes = object.chunkBytes >>> 0;
            return message;
        };

        /**
         * Creates a plain object from an AdapterBegin message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.AdapterBegin
         * @static
         * @param {narrowband.AdapterBegin} message AdapterBegin
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        AdapterBegin.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.average = 0;
                object.manifestDigest = 0;
                object.totalBytes = 0;
                object.chunkBytes = 0;
            }
            if (message.average != null && $Object.hasOwnProperty.call(message, "average"))
                object.average = message.average;
            if (message.manifestDigest != null && $Object.hasOwnProperty.call(message, "manifestDigest"))
                object.manifestDigest = message.manifestDigest;
            if (message.totalBytes != null && $Object.hasOwnProperty.call(message, "totalBytes"))
                object.totalBytes = message.totalBytes;
            if (message.chunkBytes != null && $Object.hasOwnProperty.call(message, "chunkBytes"))
                object.chunkBytes = message.chunkBytes;
            return object;
        };

        /**
         * Converts this AdapterBegin to JSON.
         * @function toJSON
         * @memberof narrowband.AdapterBegin
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        AdapterBegin.prototype.toJSON = function() {
            return AdapterBegin.toObject(this, $protobuf.util.toJSONOptions);
        };

        return AdapterBegin;
    })();

    narrowband.AdapterChunk = (function() {

        /**
         * Properties of an AdapterChunk.
         * @typedef {Object} narrowband.AdapterChunk.$Properties
         * @property {number|null} [average] AdapterChunk average
         * @property {number|null} [index] AdapterChunk index
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an AdapterChunk.
         * @memberof narrowband
         * @interface IAdapterChunk
         * @augments narrowband.AdapterChunk.$Properties
         * @deprecated Use narrowband.AdapterChunk.$Properties instead.
         */

        /**
         * Shape of an AdapterChunk.
         * @typedef {narrowband.AdapterChunk.$Properties} narrowband.AdapterChunk.$Shape
         */

        /**
         * Constructs a new AdapterChunk.
         * @memberof narrowband
         * @classdesc Represents an AdapterChunk.
         * @constructor
         * @param {narrowband.AdapterChunk.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const AdapterChunk = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * AdapterChunk average.
         * @member {number} average
         * @memberof narrowband.AdapterChunk
         * @instance
         */
        AdapterChunk.prototype.average = 0;

        /**
         * AdapterChunk index.
         * @member {number} index
         * @memberof narrowband.AdapterChunk
         * @instance
         */
        AdapterChunk.prototype.index = 0;

        /**
         * Encodes the specified AdapterChunk message. Does not implicitly {@link narrowband.AdapterChunk.verify|verify} messages.
         * @function encode
         * @memberof narrowband.AdapterChunk
         * @static
         * @param {narrowband.AdapterChunk.$Properties} message AdapterChunk message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        AdapterChunk.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.average != null && $Object.hasOwnProperty.call(message, "average") && message.average !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.average);
            if (message.index != null && $Object.hasOwnProperty.call(message, "index") && message.index !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.index);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an AdapterChunk message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.AdapterChunk
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.AdapterChunk & narrowband.AdapterChunk.$Shape} AdapterChunk
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        AdapterChunk.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.AdapterChunk();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.average = value;
                        else
                            delete message.average;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.index = value;
                        else
                            delete message.index;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates an AdapterChunk message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.AdapterChunk
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.AdapterChunk} AdapterChunk
         */
        AdapterChunk.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.AdapterChunk)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.AdapterChunk: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.AdapterChunk();
            if (object.average != null)
                if ($Number(object.average) !== 0)
                    message.average = object.average >>> 0;
            if (object.index != null)
                if ($Number(object.index) !== 0)
                    message.index = object.index >>> 0;
            return message;
        };

        /**
         * Creates a plain object from an AdapterChunk message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.AdapterChunk
         * @static
         * @param {narrowband.AdapterChunk} message AdapterChunk
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        AdapterChunk.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.average = 0;
                object.index = 0;
            }
            if (message.average != null && $Object.hasOwnProperty.call(message, "average"))
                object.average = message.average;
            if (message.index != null && $Object.hasOwnProperty.call(message, "index"))
                object.index = message.index;
            return object;
        };

        /**
         * Converts this AdapterChunk to JSON.
         * @function toJSON
         * @memberof narrowband.AdapterChunk
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        AdapterChunk.prototype.toJSON = function() {
            return AdapterChunk.toObject(this, $protobuf.util.toJSONOptions);
        };

        return AdapterChunk;
    })();

    narrowband.AdapterManifest = (function() {

        /**
         * Properties of an AdapterManifest.
         * @typedef {Object} narrowband.AdapterManifest.$Properties
         * @property {Array.<narrowband.AdapterTensor.$Properties>|null} [tensors] AdapterManifest tensors
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an AdapterManifest.
         * @memberof narrowband
         * @interface IAdapterManifest
         * @augments narrowband.AdapterManifest.$Properties
         * @deprecated Use narrowband.AdapterManifest.$Properties instead.
         */

        /**
         * Shape of an AdapterManifest.
         * @typedef {narrowband.AdapterManifest.$Properties} narrowband.AdapterManifest.$Shape
         */

        /**
         * Constructs a new AdapterManifest.
         * @memberof narrowband
         * @classdesc Represents an AdapterManifest.
         * @constructor
         * @param {narrowband.AdapterManifest.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const AdapterManifest = function (properties) {
            this.tensors = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * AdapterManifest tensors.
         * @member {Array.<narrowband.AdapterTensor.$Properties>} tensors
         * @memberof narrowband.AdapterManifest
         * @instance
         */
        AdapterManifest.prototype.tensors = $util.emptyArray;

        /**
         * Encodes the specified AdapterManifest message. Does not implicitly {@link narrowband.AdapterManifest.verify|verify} messages.
         * @function encode
         * @memberof narrowband.AdapterManifest
         * @static
         * @param {narrowband.AdapterManifest.$Properties} message AdapterManifest message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        AdapterManifest.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.tensors != null && message.tensors.length)
                for (let i = 0; i < message.tensors.length; ++i)
                    $root.narrowband.AdapterTensor.encode(message.tensors[i], writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an AdapterManifest message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.AdapterManifest
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.AdapterManifest & narrowband.AdapterManifest.$Shape} AdapterManifest
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        AdapterManifest.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.AdapterManifest();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if (!(message.tensors && message.tensors.length))
                            message.tensors = [];
                        message.tensors.push($root.narrowband.AdapterTensor.decode(reader, reader.size(), $undefined, _depth + 1));
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates an AdapterManifest message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.AdapterManifest
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.AdapterManifest} AdapterManifest
         */
        AdapterManifest.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.AdapterManifest)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.AdapterManifest: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.AdapterManifest();
            if (object.tensors) {
                if (!$Array.isArray(object.tensors))
                    throw $TypeError(".narrowband.AdapterManifest.tensors: array expected");
                message.tensors = $Array(object.tensors.length);
                for (let i = 0; i < object.tensors.length; ++i) {
                    if (!$util.isObject(object.tensors[i]))
                        throw $TypeError(".narrowband.AdapterManifest.tensors: object expected");
                    message.tensors[i] = $root.narrowband.AdapterTensor.fromObject(object.tensors[i], _depth + 1);
                }
            }
            return message;
        };

        /**
         * Creates a plain object from an AdapterManifest message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.AdapterManifest
         * @static
         * @param {narrowband.AdapterManifest} message AdapterManifest
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        AdapterManifest.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.arrays || options.defaults)
                object.tensors = [];
            if (message.tensors && message.tensors.length) {
                object.tensors = $Array(message.tensors.length);
                for (let j = 0; j < message.tensors.length; ++j)
                    object.tensors[j] = $root.narrowband.AdapterTensor.toObject(message.tensors[j], options, _depth + 1);
            }
            return object;
        };

        /**
         * Converts this AdapterManifest to JSON.
         * @function toJSON
         * @memberof narrowband.AdapterManifest
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        AdapterManifest.prototype.toJSON = function() {
            return AdapterManifest.toObject(this, $protobuf.util.toJSONOptions);
        };

        return AdapterManifest;
    })();

    narrowband.AdapterTensor = (function() {

        /**
         * Properties of an AdapterTensor.
         * @typedef {Object} narrowband.AdapterTensor.$Properties
         * @property {string|null} [name] AdapterTensor name
         * @property {Array.<number>|null} [shape] AdapterTensor shape
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an AdapterTensor.
         * @memberof narrowband
         * @interface IAdapterTensor
         * @augments narrowband.AdapterTensor.$Properties
         * @deprecated Use narrowband.AdapterTensor.$Properties instead.
         */

        /**
         * Shape of an AdapterTensor.
         * @typedef {narrowband.AdapterTensor.$Properties} narrowband.AdapterTensor.$Shape
         */

        /**
         * Constructs a new AdapterTensor.
         * @memberof narrowband
         * @classdesc Represents an AdapterTensor.
         * @constructor
         * @param {narrowband.AdapterTensor.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const AdapterTensor = function (properties) {
            this.shape = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * AdapterTensor name.
         * @member {string} name
         * @memberof narrowband.AdapterTensor
         * @instance
         */
        AdapterTensor.prototype.name = "";

        /**
         * AdapterTensor shape.
         * @member {Array.<number>} shape
         * @memberof narrowband.AdapterTensor
         * @instance
         */
        AdapterTensor.prototype.shape = $util.emptyArray;

        /**
         * Encodes the specified AdapterTensor message. Does not implicitly {@link narrowband.AdapterTensor.verify|verify} messages.
         * @function encode
         * @memberof narrowband.AdapterTensor
         * @static
         * @param {narrowband.AdapterTensor.$Properties} message AdapterTensor message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        AdapterTensor.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.name != null && $Object.hasOwnProperty.call(message, "name") && message.name !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.name);
            if (message.shape != null && message.shape.length)
                writer.uint32(/* id 2, wireType 2 =*/18).uint32s(message.shape);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an AdapterTensor message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.AdapterTensor
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.AdapterTensor & narrowband.AdapterTensor.$Shape} AdapterTensor
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        AdapterTensor.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.AdapterTensor();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.name = value;
                        else
                            delete message.name;
                        continue;
                    }
                case 2: {
                        if (wireType === 2) {
                            if (!(message.shape && message.shape.length))
                                message.shape = [];
                            reader.uint32s(message.shape);
                            continue;
                        }
                        if (wireType !== 0)
                            break;
                        if (!(message.shape && message.shape.length))
                            message.shape = [];
                        message.shape.push(reader.uint32());
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates an AdapterTensor message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.AdapterTensor
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.AdapterTensor} AdapterTensor
         */
        AdapterTensor.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.AdapterTensor)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.AdapterTensor: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.AdapterTensor();
            if (object.name != null)
                if (typeof object.name !== "string" || object.name.length)
                    message.name = $String(object.name);
            if (object.shape) {
                if (!$Array.isArray(object.shape))
                    throw $TypeError(".narrowband.AdapterTensor.shape: array expected");
                message.shape = $Array(object.shape.length);
                for (let i = 0; i < object.shape.length; ++i)
                    message.shape[i] = object.shape[i] >>> 0;
            }
            return message;
        };

        /**
         * Creates a plain object from an AdapterTensor message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.AdapterTensor
         * @static
         * @param {narrowband.AdapterTensor} message AdapterTensor
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        AdapterTensor.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.arrays || options.defaults)
                object.shape = [];
            if (options.defaults)
                object.name = "";
            if (message.name != null && $Object.hasOwnProperty.call(message, "name"))
                object.name = message.name;
            if (message.shape && message.shape.length) {
                object.shape = $Array(message.shape.length);
                for (let j = 0; j < message.shape.length; ++j)
                    object.shape[j] = message.shape[j];
            }
            return object;
        };

        /**
         * Converts this AdapterTensor to JSON.
         * @function toJSON
         * @memberof narrowband.AdapterTensor
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        AdapterTensor.prototype.toJSON = function() {
            return AdapterTensor.toObject(this, $protobuf.util.toJSONOptions);
        };

        return AdapterTensor;
    })();

    narrowband.Ping = (function() {

        /**
         * Properties of a Ping.
         * @typedef {Object} narrowband.Ping.$Properties
         * @property {number|null} [id] Ping id
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Ping.
         * @memberof narrowband
         * @interface IPing
         * @augments narrowband.Ping.$Properties
         * @deprecated Use narrowband.Ping.$Properties instead.
         */

        /**
         * Shape of a Ping.
         * @typedef {narrowband.Ping.$Properties} narrowband.Ping.$Shape
         */

        /**
         * Constructs a new Ping.
         * @memberof narrowband
         * @classdesc Represents a Ping.
         * @constructor
         * @param {narrowband.Ping.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Ping = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Ping id.
         * @member {number} id
         * @memberof narrowband.Ping
         * @instance
         */
        Ping.prototype.id = 0;

        /**
         * Encodes the specified Ping message. Does not implicitly {@link narrowband.Ping.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Ping
         * @static
         * @param {narrowband.Ping.$Properties} message Ping message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Ping.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.id);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Ping message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Ping
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Ping & narrowband.Ping.$Shape} Ping
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Ping.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Ping();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.id = value;
                        else
                            delete message.id;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a Ping message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Ping
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Ping} Ping
         */
        Ping.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Ping)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Ping: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.Ping();
            if (object.id != null)
                if ($Number(object.id) !== 0)
                    message.id = object.id >>> 0;
            return message;
        };

        /**
         * Creates a plain object from a Ping message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Ping
         * @static
         * @param {narrowband.Ping} message Ping
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Ping.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults)
                object.id = 0;
            if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                object.id = message.id;
            return object;
        };

        /**
         * Converts this Ping to JSON.
         * @function toJSON
         * @memberof narrowband.Ping
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Ping.prototype.toJSON = function() {
            return Ping.toObject(this, $protobuf.util.toJSONOptions);
        };

        return Ping;
    })();

    narrowband.Pong = (function() {

        /**
         * Properties of a Pong.
         * @typedef {Object} narrowband.Pong.$Properties
         * @property {number|null} [id] Pong id
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Pong.
         * @memberof narrowband
         * @interface IPong
         * @augments narrowband.Pong.$Properties
         * @deprecated Use narrowband.Pong.$Properties instead.
         */

        /**
         * Shape of a Pong.
         * @typedef {narrowband.Pong.$Properties} narrowband.Pong.$Shape
         */

        /**
         * Constructs a new Pong.
         * @memberof narrowband
         * @classdesc Represents a Pong.
         * @constructor
         * @param {narrowband.Pong.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Pong = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Pong id.
         * @member {number} id
         * @memberof narrowband.Pong
         * @instance
         */
        Pong.prototype.id = 0;

        /**
         * Encodes the specified Pong message. Does not implicitly {@link narrowband.Pong.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Pong
         * @static
         * @param {narrowband.Pong.$Properties} message Pong message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Pong.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.id);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Pong message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Pong
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Pong & narrowband.Pong.$Shape} Pong
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Pong.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Pong();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.id = value;
                        else
                            delete message.id;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a Pong message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Pong
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Pong} Pong
         */
        Pong.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Pong)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Pong: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.Pong();
            if (object.id != null)
                if ($Number(object.id) !== 0)
                    message.id = object.id >>> 0;
            return message;
        };

        /**
         * Creates a plain object from a Pong message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Pong
         * @static
         * @param {narrowband.Pong} message Pong
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Pong.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults)
                object.id = 0;
            if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                object.id = message.id;
            return object;
        };

        /**
         * Converts this Pong to JSON.
         * @function toJSON
         * @memberof narrowband.Pong
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Pong.prototype.toJSON = function() {
            return Pong.toObject(this, $protobuf.util.toJSONOptions);
        };

        return Pong;
    })();

    narrowband.Hello = (function() {

        /**
         * Properties of a Hello.
         * @typedef {Object} narrowband.Hello.$Properties
         * @property {number|null} [protocolMin] Hello protocolMin
         * @property {number|null} [protocolMax] Hello protocolMax
         * @property {string|null} [token] Hello token
         * @property {string|null} [job] Hello job
         * @property {string|null} [name] Hello name
         * @property {string|null} [modelFingerprint] Hello modelFingerprint
         * @property {string|null} [tokenizerFingerprint] Hello tokenizerFingerprint
         * @property {Array.<string>|null} [codecs] Hello codecs
         * @property {string|null} [software] Hello software
         * @property {string|null} [process] Hello process
         * @property {number|null} [connection] Hello connection
         * @property {narrowband.Resume.$Properties|null} [resume] Hello resume
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Hello.
         * @memberof narrowband
         * @interface IHello
         * @augments narrowband.Hello.$Properties
         * @deprecated Use narrowband.Hello.$Properties instead.
         */

        /**
         * Shape of a Hello.
         * @typedef {narrowband.Hello.$Properties} narrowband.Hello.$Shape
         */

        /**
         * Constructs a new Hello.
         * @memberof narrowband
         * @classdesc Represents a Hello.
         * @constructor
         * @param {narrowband.Hello.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Hello = function (properties) {
            this.codecs = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Hello protocolMin.
         * @member {number} protocolMin
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.protocolMin = 0;

        /**
         * Hello protocolMax.
         * @member {number} protocolMax
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.protocolMax = 0;

        /**
         * Hello token.
         * @member {string} token
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.token = "";

        /**
         * Hello job.
         * @member {string} job
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.job = "";

        /**
         * Hello name.
         * @member {string} name
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.name = "";

        /**
         * Hello modelFingerprint.
         * @member {string} modelFingerprint
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.modelFingerprint = "";

        /**
         * Hello tokenizerFingerprint.
         * @member {string} tokenizerFingerprint
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.tokenizerFingerprint = "";

        /**
         * Hello codecs.
         * @member {Array.<string>} codecs
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.codecs = $util.emptyArray;

        /**
         * Hello software.
         * @member {string} software
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.software = "";

        /**
         * Hello process.
         * @member {string} process
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.process = "";

        /**
         * Hello connection.
         * @member {number} connection
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.connection = 0;

        /**
         * Hello resume.
         * @member {narrowband.Resume.$Properties|null|undefined} resume
         * @memberof narrowband.Hello
         * @instance
         */
        Hello.prototype.resume = null;

        /**
         * Encodes the specified Hello message. Does not implicitly {@link narrowband.Hello.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Hello
         * @static
         * @param {narrowband.Hello.$Properties} message Hello message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Hello.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.protocolMin != null && $Object.hasOwnProperty.call(message, "protocolMin") && message.protocolMin !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.protocolMin);
            if (message.protocolMax != null && $Object.hasOwnProperty.call(message, "protocolMax") && message.protocolMax !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.protocolMax);
            if (message.token != null && $Object.hasOwnProperty.call(message, "token") && message.token !== "")
                writer.uint32(/* id 3, wireType 2 =*/26).string(message.token);
            if (message.job != null && $Object.hasOwnProperty.call(message, "job") && message.job !== "")
                writer.uint32(/* id 4, wireType 2 =*/34).string(message.job);
            if (message.name != null && $Object.hasOwnProperty.call(message, "name") && message.name !== "")
                writer.uint32(/* id 5, wireType 2 =*/42).string(message.name);
            if (message.modelFingerprint != null && $Object.hasOwnProperty.call(message, "modelFingerprint") && message.modelFingerprint !== "")
                writer.uint32(/* id 6, wireType 2 =*/50).string(message.modelFingerprint);
            if (message.tokenizerFingerprint != null && $Object.hasOwnProperty.call(message, "tokenizerFingerprint") && message.tokenizerFingerprint !== "")
                writer.uint32(/* id 7, wireType 2 =*/58).string(message.tokenizerFingerprint);
            if (message.codecs != null && message.codecs.length)
                for (let i = 0; i < message.codecs.length; ++i)
                    writer.uint32(/* id 8, wireType 2 =*/66).string(message.codecs[i]);
            if (message.software != null && $Object.hasOwnProperty.call(message, "software") && message.software !== "")
                writer.uint32(/* id 9, wireType 2 =*/74).string(message.software);
            if (message.process != null && $Object.hasOwnProperty.call(message, "process") && message.process !== "")
                writer.uint32(/* id 10, wireType 2 =*/82).string(message.process);
            if (message.connection != null && $Object.hasOwnProperty.call(message, "connection") && message.connection !== 0)
                writer.uint32(/* id 11, wireType 0 =*/88).uint32(message.connection);
            if (message.resume != null && $Object.hasOwnProperty.call(message, "resume"))
                $root.narrowband.Resume.encode(message.resume, writer.uint32(/* id 12, wireType 2 =*/98).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Hello message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Hello
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Hello & narrowband.Hello.$Shape} Hello
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Hello.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Hello();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.protocolMin = value;
                        else
                            delete message.protocolMin;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.protocolMax = value;
                        else
                            delete message.protocolMax;
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.token = value;
                        else
                            delete message.token;
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.job = value;
                        else
                            delete message.job;
                        continue;
                    }
                case 5: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.name = value;
                        else
                            delete message.name;
                        continue;
                    }
                case 6: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.modelFingerprint = value;
                        else
                            delete message.modelFingerprint;
                        continue;
                    }
                case 7: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.tokenizerFingerprint = value;
                        else
                            delete message.tokenizerFingerprint;
                        continue;
                    }
                case 8: {
                        if (wireType !== 2)
                            break;
                        if (!(message.codecs && message.codecs.length))
                            message.codecs = [];
                        message.codecs.push(reader.stringVerify());
                        continue;
                    }
                case 9: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.software = value;
                        else
                            delete message.software;
                        continue;
                    }
                case 10: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.process = value;
                        else
                            delete message.process;
                        continue;
                    }
                case 11: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.connection = value;
                        else
                            delete message.connection;
                        continue;
                    }
                case 12: {
                        if (wireType !== 2)
                            break;
                        message.resume = $root.narrowband.Resume.decode(reader, reader.size(), $undefined, _depth + 1, message.resume);
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a Hello message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Hello
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Hello} Hello
         */
        Hello.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Hello)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Hello: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.Hello();
            if (object.protocolMin != null)
                if ($Number(object.protocolMin) !== 0)
                    message.protocolMin = object.protocolMin >>> 0;
            if (object.protocolMax != null)
                if ($Number(object.protocolMax) !== 0)
                    message.protocolMax = object.protocolMax >>> 0;
            if (object.token != null)
                if (typeof object.token !== "string" || object.token.length)
                    message.token = $String(object.token);
            if (object.job != null)
                if (typeof object.job !== "string" || object.job.length)
                    message.job = $String(object.job);
            if (object.name != null)
                if (typeof object.name !== "string" || object.name.length)
                    message.name = $String(object.name);
            if (object.modelFingerprint != null)
                if (typeof object.modelFingerprint !== "string" || object.modelFingerprint.length)
                    message.modelFingerprint = $String(object.modelFingerprint);
            if (object.tokenizerFingerprint != null)
                if (typeof object.tokenizerFingerprint !== "string" || object.tokenizerFingerprint.length)
                    message.tokenizerFingerprint = $String(object.tokenizerFingerprint);
            if (object.codecs) {
                if (!$Array.isArray(object.codecs))
                    throw $TypeError(".narrowband.Hello.codecs: array expected");
                message.codecs = $Array(object.codecs.length);
                for (let i = 0; i < object.codecs.length; ++i)
                    message.codecs[i] = $String(object.codecs[i]);
            }
            if (object.software != null)
                if (typeof object.software !== "string" || object.software.length)
                    message.software = $String(object.software);
            if (object.process != null)
                if (typeof object.process !== "string" || object.process.length)
                    message.process = $String(object.process);
            if (object.connection != null)
                if ($Number(object.connection) !== 0)
                    message.connection = object.connection >>> 0;
            if (object.resume != null) {
                if (!$util.isObject(object.resume))
                    throw $TypeError(".narrowband.Hello.resume: object expected");
                message.resume = $root.narrowband.Resume.fromObject(object.resume, _depth + 1);
            }
            return message;
        };

        /**
         * Creates a plain object from a Hello message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Hello
         * @static
         * @param {narrowband.Hello} message Hello
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Hello.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.arrays || options.defaults)
                object.codecs = [];
            if (options.defaults) {
                object.protocolMin = 0;
                object.protocolMax = 0;
                object.token = "";
                object.job = "";
                object.name = "";
                object.modelFingerprint = "";
                object.tokenizerFingerprint = "";
                object.software = "";
                object.process = "";
                object.connection = 0;
                object.resume = null;
            }
            if (message.protocolMin != null && $Object.hasOwnProperty.call(message, "protocolMin"))
                object.protocolMin = message.protocolMin;
            if (message.protocolMax != null && $Object.hasOwnProperty.call(message, "protocolMax"))
                object.protocolMax = message.protocolMax;
            if (message.token != null && $Object.hasOwnProperty.call(message, "token"))
                object.token = message.token;
            if (message.job != null && $Object.hasOwnProperty.call(message, "job"))
                object.job = message.job;
            if (message.name != null && $Object.hasOwnProperty.call(message, "name"))
                object.name = message.name;
            if (message.modelFingerprint != null && $Object.hasOwnProperty.call(message, "modelFingerprint"))
                object.modelFingerprint = message.modelFingerprint;
            if (message.tokenizerFingerprint != null && $Object.hasOwnProperty.call(message, "tokenizerFingerprint"))
                object.tokenizerFingerprint = message.tokenizerFingerprint;
            if (message.codecs && message.codecs.length) {
                object.codecs = $Array(message.codecs.length);
                for (let j = 0; j < message.codecs.length; ++j)
                    object.codecs[j] = message.codecs[j];
            }
            if (message.software != null && $Object.hasOwnProperty.call(message, "software"))
                object.software = message.software;
            if (message.process != null && $Object.hasOwnProperty.call(message, "process"))
                object.process = message.process;
            if (message.connection != null && $Object.hasOwnProperty.call(message, "connection"))
                object.connection = message.connection;
            if (message.resume != null && $Object.hasOwnProperty.call(message, "resume"))
                object.resume = $root.narrowband.Resume.toObject(message.resume, options, _depth + 1);
            return object;
        };

        /**
         * Converts this Hello to JSON.
         * @function toJSON
         * @memberof narrowband.Hello
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Hello.prototype.toJSON = function() {
            return Hello.toObject(this, $protobuf.util.toJSONOptions);
        };

        return Hello;
    })();

    narrowband.Resume = (function() {

        /**
         * Properties of a Resume.
         * @typedef {Object} narrowband.Resume.$Properties
         * @property {boolean|null} [prepared] Resume prepared
         * @property {number|null} [step] Resume step
         * @property {number|null} [attempt] Resume attempt
         * @property {number|null} [averaged] Resume averaged
         * @property {boolean|null} [open] Resume open
         * @property {number|null} [a1] Resume a1
         * @property {number|null} [a2] Resume a2
         * @property {number|null} [g2] Resume g2
         * @property {number|null} [g1] Resume g1
         * @property {number|null} [taken] Resume taken
         * @property {number|null} [upload] Resume upload
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Resume.
         * @memberof narrowband
         * @interface IResume
         * @augments narrowband.Resume.$Properties
         * @deprecated Use narrowband.Resume.$Properties instead.
         */

        /**
         * Shape of a Resume.
         * @typedef {narrowband.Resume.$Properties} narrowband.Resume.$Shape
         */

        /**
         * Constructs a new Resume.
         * @memberof narrowband
         * @classdesc Represents a Resume.
         * @constructor
         * @param {narrowband.Resume.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Resume = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Resume prepared.
         * @member {boolean} prepared
         * @memberof narrowband.Resume
         * @instance
         */
        Resume.prototype.prepared = false;

        /**
         * Resume step.
         * @member {number} step
         * @memberof narrowband.Resume
         * @instance
         */
        Resume.prototype.step = 0;

        /**
         * Resume attempt.
         * @member {number} attempt
         * @memberof narrowband.Resume
         * @instance
         */
        Resume.prototype.attempt = 0;

        /**
         * Resume averaged.
         * @member {number} averaged
         * @memberof narrowband.Resume
         * @instance
         */
        Resume.prototype.averaged = 0;

        /**
         * Resume open.
         * @member {boolean} open
         * @memberof narrowband.Resume
         * @instance
         */
        Resume.prototype.open = false;

        /**
         * Resume a1.
         * @member {number} a1
         * @memberof narrowband.Resume
         * @instance
         */
        Resume.prototype.a1 = 0;

        /**
         * Resume a2.
         * @member {number} a2
         * @memberof narrowband.Resume
         * @instance
         */
        Resume.prototype.a2 = 0;

        /**
         * Resume g2.
         * @member {number} g2
         * @memberof narrowband.Resume
         * @instance
         */
        Resume.prototype.g2 = 0;

        /**
         * Resume g1.
         * @member {number} g1
         * @memberof narrowband.Resume
         * @instance
         */
        Resume.prototype.g1 = 0;

        /**
         * Resume taken.
         * @member {number} taken
         * @memberof narrowband.Resume
         * @instance
         */
        Resume.prototype.taken = 0;

        /**
         * Resume upload.
         * @member {number} upload
         * @memberof narrowband.Resume
         * @instance
         */
        Resume.prototype.upload = 0;

        /**
         * Encodes the specified Resume message. Does not implicitly {@link narrowband.Resume.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Resume
         * @static
         * @param {narrowband.Resume.$Properties} message Resume message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Resume.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.prepared != null && $Object.hasOwnProperty.call(message, "prepared") && message.prepared !== false)
                writer.uint32(/* id 1, wireType 0 =*/8).bool(message.prepared);
            if (message.step != null && $Object.hasOwnProperty.call(message, "step") && message.step !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.step);
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt") && message.attempt !== 0)
                writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.attempt);
            if (message.averaged != null && $Object.hasOwnProperty.call(message, "averaged") && message.averaged !== 0)
                writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.averaged);
            if (message.open != null && $Object.hasOwnProperty.call(message, "open") && message.open !== false)
                writer.uint32(/* id 5, wireType 0 =*/40).bool(message.open);
            if (message.a1 != null && $Object.hasOwnProperty.call(message, "a1") && message.a1 !== 0)
                writer.uint32(/* id 6, wireType 0 =*/48).uint32(message.a1);
            if (message.a2 != null && $Object.hasOwnProperty.call(message, "a2") && message.a2 !== 0)
                writer.uint32(/* id 7, wireType 0 =*/56).uint32(message.a2);
            if (message.g2 != null && $Object.hasOwnProperty.call(message, "g2") && message.g2 !== 0)
                writer.uint32(/* id 8, wireType 0 =*/64).uint32(message.g2);
            if (message.g1 != null && $Object.hasOwnProperty.call(message, "g1") && message.g1 !== 0)
                writer.uint32(/* id 9, wireType 0 =*/72).uint32(message.g1);
            if (message.taken != null && $Object.hasOwnProperty.call(message, "taken") && message.taken !== 0)
                writer.uint32(/* id 10, wireType 0 =*/80).uint32(message.taken);
            if (message.upload != null && $Object.hasOwnProperty.call(message, "upload") && message.upload !== 0)
                writer.uint32(/* id 11, wireType 0 =*/88).uint32(message.upload);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Resume message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Resume
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Resume & narrowband.Resume.$Shape} Resume
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Resume.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Resume();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.bool())
                            message.prepared = value;
                        else
                            delete message.prepared;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.step = value;
                        else
                            delete message.step;
                        continue;
                    }
                case 3: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.attempt = value;
                        else
                            delete message.attempt;
                        continue;
                    }
                case 4: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.averaged = value;
                        else
                            delete message.averaged;
                        continue;
                    }
                case 5: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.bool())
                            message.open = value;
                        else
                            delete message.open;
                        continue;
                    }
                case 6: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.a1 = value;
                        else
                            delete message.a1;
                        continue;
                    }
                case 7: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.a2 = value;
                        else
                            delete message.a2;
                        continue;
                    }
                case 8: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.g2 = value;
                        else
                            delete message.g2;
                        continue;
                    }
                case 9: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.g1 = value;
                        else
                            delete message.g1;
                        continue;
                    }
                case 10: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.taken = value;
                        else
                            delete message.taken;
                        continue;
                    }
                case 11: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.upload = value;
                        else
                            delete message.upload;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a Resume message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Resume
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Resume} Resume
         */
        Resume.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Resume)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Resume: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.Resume();
            if (object.prepared != null)
                if (object.prepared)
                    message.prepared = $Boolean(object.prepared);
            if (object.step != null)
                if ($Number(object.step) !== 0)
                    message.step = object.step >>> 0;
            if (object.attempt != null)
                if ($Number(object.attempt) !== 0)
                    message.attempt = object.attempt >>> 0;
            if (object.averaged != null)
                if ($Number(object.averaged) !== 0)
                    message.averaged = object.averaged >>> 0;
            if (object.open != null)
                if (object.open)
                    message.open = $Boolean(object.open);
            if (object.a1 != null)
                if ($Number(object.a1) !== 0)
                    message.a1 = object.a1 >>> 0;
            if (object.a2 != null)
                if ($Number(object.a2) !== 0)
                    message.a2 = object.a2 >>> 0;
            if (object.g2 != null)
                if ($Number(object.g2) !== 0)
                    message.g2 = object.g2 >>> 0;
            if (object.g1 != null)
                if ($Number(object.g1) !== 0)
                    message.g1 = object.g1 >>> 0;
            if (object.taken != null)
                if ($Number(object.taken) !== 0)
                    message.taken = object.taken >>> 0;
            if (object.upload != null)
                if ($Number(object.upload) !== 0)
                    message.upload = object.upload >>> 0;
            return message;
        };

        /**
         * Creates a plain object from a Resume message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Resume
         * @static
         * @param {narrowband.Resume} message Resume
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Resume.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.prepared = false;
                object.step = 0;
                object.attempt = 0;
                object.averaged = 0;
                object.open = false;
                object.a1 = 0;
                object.a2 = 0;
                object.g2 = 0;
                object.g1 = 0;
                object.taken = 0;
                object.upload = 0;
            }
            if (message.prepared != null && $Object.hasOwnProperty.call(message, "prepared"))
                object.prepared = message.prepared;
            if (message.step != null && $Object.hasOwnProperty.call(message, "step"))
                object.step = message.step;
            if (message.attempt != null && $Object.hasOwnProperty.call(message, "attempt"))
                object.attempt = message.attempt;
            if (message.averaged != null && $Object.hasOwnProperty.call(message, "averaged"))
                object.averaged = message.averaged;
            if (message.open != null && $Object.hasOwnProperty.call(message, "open"))
                object.open = message.open;
            if (message.a1 != null && $Object.hasOwnProperty.call(message, "a1"))
                object.a1 = message.a1;
            if (message.a2 != null && $Object.hasOwnProperty.call(message, "a2"))
                object.a2 = message.a2;
            if (message.g2 != null && $Object.hasOwnProperty.call(message, "g2"))
                object.g2 = message.g2;
            if (message.g1 != null && $Object.hasOwnProperty.call(message, "g1"))
                object.g1 = message.g1;
            if (message.taken != null && $Object.hasOwnProperty.call(message, "taken"))
                object.taken = message.taken;
            if (message.upload != null && $Object.hasOwnProperty.call(message, "upload"))
                object.upload = message.upload;
            return object;
        };

        /**
         * Converts this Resume to JSON.
         * @function toJSON
         * @memberof narrowband.Resume
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Resume.prototype.toJSON = function() {
            return Resume.toObject(this, $protobuf.util.toJSONOptions);
        };

        return Resume;
    })();

    narrowband.Welcome = (function() {

        /**
         * Properties of a Welcome.
         * @typedef {Object} narrowband.Welcome.$Properties
         * @property {number|null} [protocol] Welcome protocol
         * @property {boolean|null} [resumed] Welcome resumed
         * @property {number|null} [job] Welcome job
         * @property {number|null} [client] Welcome client
         * @property {narrowband.JobConfig.$Properties|null} [config] Welcome config
         * @property {narrowband.Resume.$Properties|null} [resume] Welcome resume
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Welcome.
         * @memberof narrowband
         * @interface IWelcome
         * @augments narrowband.Welcome.$Properties
         * @deprecated Use narrowband.Welcome.$Properties instead.
         */

        /**
         * Shape of a Welcome.
         * @typedef {narrowband.Welcome.$Properties} narrowband.Welcome.$Shape
         */

        /**
         * Constructs a new Welcome.
         * @memberof narrowband
         * @classdesc Represents a Welcome.
         * @constructor
         * @param {narrowband.Welcome.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Welcome = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Welcome protocol.
         * @member {number} protocol
         * @memberof narrowband.Welcome
         * @instance
         */
        Welcome.prototype.protocol = 0;

        /**
         * Welcome resumed.
         * @member {boolean} resumed
         * @memberof narrowband.Welcome
         * @instance
         */
        Welcome.prototype.resumed = false;

        /**
         * Welcome job.
         * @member {number} job
         * @memberof narrowband.Welcome
         * @instance
         */
        Welcome.prototype.job = 0;

        /**
         * Welcome client.
         * @member {number} client
         * @memberof narrowband.Welcome
         * @instance
         */
        Welcome.prototype.client = 0;

        /**
         * Welcome config.
         * @member {narrowband.JobConfig.$Properties|null|undefined} config
         * @memberof narrowband.Welcome
         * @instance
         */
        Welcome.prototype.config = null;

        /**
         * Welcome resume.
         * @member {narrowband.Resume.$Properties|null|undefined} resume
         * @memberof narrowband.Welcome
         * @instance
         */
        Welcome.prototype.resume = null;

        /**
         * Encodes the specified Welcome message. Does not implicitly {@link narrowband.Welcome.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Welcome
         * @static
         * @param {narrowband.Welcome.$Properties} message Welcome message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Welcome.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.protocol != null && $Object.hasOwnProperty.call(message, "protocol") && message.protocol !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.protocol);
            if (message.resumed != null && $Object.hasOwnProperty.call(message, "resumed") && message.resumed !== false)
                writer.uint32(/* id 2, wireType 0 =*/16).bool(message.resumed);
            if (message.job != null && $Object.hasOwnProperty.call(message, "job") && message.job !== 0)
                writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.job);
            if (message.client != null && $Object.hasOwnProperty.call(message, "client") && message.client !== 0)
                writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.client);
            if (message.config != null && $Object.hasOwnProperty.call(message, "config"))
                $root.narrowband.JobConfig.encode(message.config, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
            if (message.resume != null && $Object.hasOwnProperty.call(message, "resume"))
                $root.narrowband.Resume.encode(message.resume, writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Welcome message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Welcome
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Welcome & narrowband.Welcome.$Shape} Welcome
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Welcome.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Welcome();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.protocol = value;
                        else
                            delete message.protocol;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.bool())
                            message.resumed = value;
                        else
                            delete message.resumed;
                        continue;
                    }
                case 3: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.job = value;
                        else
                            delete message.job;
                        continue;
                    }
                case 4: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.client = value;
                        else
                            delete message.client;
                        continue;
                    }
                case 5: {
                        if (wireType !== 2)
                            break;
                        message.config = $root.narrowband.JobConfig.decode(reader, reader.size(), $undefined, _depth + 1, message.config);
                        continue;
                    }
                case 6: {
                        if (wireType !== 2)
                            break;
                        message.resume = $root.narrowband.Resume.decode(reader, reader.size(), $undefined, _depth + 1, message.resume);
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a Welcome message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Welcome
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Welcome} Welcome
         */
        Welcome.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Welcome)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Welcome: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.Welcome();
            if (object.protocol != null)
                if ($Number(object.protocol) !== 0)
                    message.protocol = object.protocol >>> 0;
            if (object.resumed != null)
                if (object.resumed)
                    message.resumed = $Boolean(object.resumed);
            if (object.job != null)
                if ($Number(object.job) !== 0)
                    message.job = object.job >>> 0;
            if (object.client != null)
                if ($Number(object.client) !== 0)
                    message.client = object.client >>> 0;
            if (object.config != null) {
                if (!$util.isObject(object.config))
                    throw $TypeError(".narrowband.Welcome.config: object expected");
                message.config = $root.narrowband.JobConfig.fromObject(object.config, _depth + 1);
            }
            if (object.resume != null) {
                if (!$util.isObject(object.resume))
                    throw $TypeError(".narrowband.Welcome.resume: object expected");
                message.resume = $root.narrowband.Resume.fromObject(object.resume, _depth + 1);
            }
            return message;
        };

        /**
         * Creates a plain object from a Welcome message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Welcome
         * @static
         * @param {narrowband.Welcome} message Welcome
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Welcome.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.protocol = 0;
                object.resumed = false;
                object.job = 0;
                object.client = 0;
                object.config = null;
                object.resume = null;
            }
            if (message.protocol != null && $Object.hasOwnProperty.call(message, "protocol"))
                object.protocol = message.protocol;
            if (message.resumed != null && $Object.hasOwnProperty.call(message, "resumed"))
                object.resumed = message.resumed;
            if (message.job != null && $Object.hasOwnProperty.call(message, "job"))
                object.job = message.job;
            if (message.client != null && $Object.hasOwnProperty.call(message, "client"))
                object.client = message.client;
            if (message.config != null && $Object.hasOwnProperty.call(message, "config"))
                object.config = $root.narrowband.JobConfig.toObject(message.config, options, _depth + 1);
            if (message.resume != null && $Object.hasOwnProperty.call(message, "resume"))
                object.resume = $root.narrowband.Resume.toObject(message.resume, options, _depth + 1);
            return object;
        };

        /**
         * Converts this Welcome to JSON.
         * @function toJSON
         * @memberof narrowband.Welcome
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Welcome.prototype.toJSON = function() {
            return Welcome.toObject(this, $protobuf.util.toJSONOptions);
        };

        return Welcome;
    })();

    narrowband.Ready = (function() {

        /**
         * Properties of a Ready.
         * @typedef {Object} narrowband.Ready.$Properties
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Ready.
         * @memberof narrowband
         * @interface IReady
         * @augments narrowband.Ready.$Properties
         * @deprecated Use narrowband.Ready.$Properties instead.
         */

        /**
         * Shape of a Ready.
         * @typedef {narrowband.Ready.$Properties} narrowband.Ready.$Shape
         */

        /**
         * Constructs a new Ready.
         * @memberof narrowband
         * @classdesc Represents a Ready.
         * @constructor
         * @param {narrowband.Ready.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Ready = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Encodes the specified Ready message. Does not implicitly {@link narrowband.Ready.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Ready
         * @static
         * @param {narrowband.Ready.$Properties} message Ready message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Ready.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Ready message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Ready
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Ready & narrowband.Ready.$Shape} Ready
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Ready.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Ready();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                reader.skipType(tag & 7, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a Ready message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Ready
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Ready} Ready
         */
        Ready.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Ready)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Ready: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            return new $root.narrowband.Ready();
        };

        /**
         * Creates a plain object from a Ready message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Ready
         * @static
         * @param {narrowband.Ready} message Ready
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Ready.toObject = function () {
            return {};
        };

        /**
         * Converts this Ready to JSON.
         * @function toJSON
         * @memberof narrowband.Ready
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Ready.prototype.toJSON = function() {
            return Ready.toObject(this, $protobuf.util.toJSONOptions);
        };

        return Ready;
    })();

    narrowband.Goodbye = (function() {

        /**
         * Properties of a Goodbye.
         * @typedef {Object} narrowband.Goodbye.$Properties
         * @property {narrowband.Goodbye.Reason|null} [reason] Goodbye reason
         * @property {string|null} [code] Goodbye code
         * @property {string|null} [message] Goodbye message
         * @property {number|null} [retryAfterMs] Goodbye retryAfterMs
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a Goodbye.
         * @memberof narrowband
         * @interface IGoodbye
         * @augments narrowband.Goodbye.$Properties
         * @deprecated Use narrowband.Goodbye.$Properties instead.
         */

        /**
         * Shape of a Goodbye.
         * @typedef {narrowband.Goodbye.$Properties} narrowband.Goodbye.$Shape
         */

        /**
         * Constructs a new Goodbye.
         * @memberof narrowband
         * @classdesc Represents a Goodbye.
         * @constructor
         * @param {narrowband.Goodbye.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Goodbye = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Goodbye reason.
         * @member {narrowband.Goodbye.Reason} reason
         * @memberof narrowband.Goodbye
         * @instance
         */
        Goodbye.prototype.reason = 0;

        /**
         * Goodbye code.
         * @member {string} code
         * @memberof narrowband.Goodbye
         * @instance
         */
        Goodbye.prototype.code = "";

        /**
         * Goodbye message.
         * @member {string} message
         * @memberof narrowband.Goodbye
         * @instance
         */
        Goodbye.prototype.message = "";

        /**
         * Goodbye retryAfterMs.
         * @member {number} retryAfterMs
         * @memberof narrowband.Goodbye
         * @instance
         */
        Goodbye.prototype.retryAfterMs = 0;

        /**
         * Encodes the specified Goodbye message. Does not implicitly {@link narrowband.Goodbye.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Goodbye
         * @static
         * @param {narrowband.Goodbye.$Properties} message Goodbye message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Goodbye.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.reason != null && $Object.hasOwnProperty.call(message, "reason") && message.reason !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).int32(message.reason);
            if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code !== "")
                writer.uint32(/* id 2, wireType 2 =*/18).string(message.code);
            if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                writer.uint32(/* id 3, wireType 2 =*/26).string(message.message);
            if (message.retryAfterMs != null && $Object.hasOwnProperty.call(message, "retryAfterMs") && message.retryAfterMs !== 0)
                writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.retryAfterMs);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a Goodbye message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Goodbye
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Goodbye & narrowband.Goodbye.$Shape} Goodbye
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Goodbye.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Goodbye();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.reason = value;
                        else
                            delete message.reason;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.code = value;
                        else
                            delete message.code;
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.message = value;
                        else
                            delete message.message;
                        continue;
                    }
                case 4: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.retryAfterMs = value;
                        else
                            delete message.retryAfterMs;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a Goodbye message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Goodbye
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Goodbye} Goodbye
         */
        Goodbye.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Goodbye)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Goodbye: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.Goodbye();
            if (object.reason !== 0 && (typeof object.reason !== "string" || $root.narrowband.Goodbye.Reason[object.reason] !== 0))
                switch (object.reason) {
                case "REASON_UNSPECIFIED":
                case 0:
                    message.reason = 0;
                    break;
                case "COMPLETED":
                case 1:
                    message.reason = 1;
                    break;
                case "STOPPED":
                case 2:
                    message.reason = 2;
                    break;
                case "FAILED":
                case 3:
                    message.reason = 3;
                    break;
                default:
                    if (typeof object.reason === "number" && (object.reason | 0) === object.reason)
                        message.reason = object.reason;
                }
            if (object.code != null)
                if (typeof object.code !== "string" || object.code.length)
                    message.code = $String(object.code);
            if (object.message != null)
                if (typeof object.message !== "string" || object.message.length)
                    message.message = $String(object.message);
            if (object.retryAfterMs != null)
                if ($Number(object.retryAfterMs) !== 0)
                    message.retryAfterMs = object.retryAfterMs >>> 0;
            return message;
        };

        /**
         * Creates a plain object from a Goodbye message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Goodbye
         * @static
         * @param {narrowband.Goodbye} message Goodbye
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Goodbye.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.reason = options.enums === $String ? "REASON_UNSPECIFIED" : 0;
                object.code = "";
                object.message = "";
                object.retryAfterMs = 0;
            }
            if (message.reason != null && $Object.hasOwnProperty.call(message, "reason"))
                object.reason = options.enums === $String ? $root.narrowband.Goodbye.Reason[message.reason] === $undefined ? message.reason : $root.narrowband.Goodbye.Reason[message.reason] : message.reason;
            if (message.code != null && $Object.hasOwnProperty.call(message, "code"))
                object.code = message.code;
            if (message.message != null && $Object.hasOwnProperty.call(message, "message"))
                object.message = message.message;
            if (message.retryAfterMs != null && $Object.hasOwnProperty.call(message, "retryAfterMs"))
                object.retryAfterMs = message.retryAfterMs;
            return object;
        };

        /**
         * Converts this Goodbye to JSON.
         * @function toJSON
         * @memberof narrowband.Goodbye
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Goodbye.prototype.toJSON = function() {
            return Goodbye.toObject(this, $protobuf.util.toJSONOptions);
        };

        /**
         * Reason enum.
         * @name narrowband.Goodbye.Reason
         * @enum {number}
         * @property {number} REASON_UNSPECIFIED=0 REASON_UNSPECIFIED value
         * @property {number} COMPLETED=1 COMPLETED value
         * @property {number} STOPPED=2 STOPPED value
         * @property {number} FAILED=3 FAILED value
         */
        Goodbye.Reason = (function() {
            const valuesById = $Object.create(null), values = $Object.create(valuesById);
            values[valuesById[0] = "REASON_UNSPECIFIED"] = 0;
            values[valuesById[1] = "COMPLETED"] = 1;
            values[valuesById[2] = "STOPPED"] = 2;
            values[valuesById[3] = "FAILED"] = 3;
            return values;
        })();

        return Goodbye;
    })();

    narrowband.Error = (function() {

        /**
         * Properties of an Error.
         * @typedef {Object} narrowband.Error.$Properties
         * @property {string|null} [code] Error code
         * @property {string|null} [message] Error message
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an Error.
         * @memberof narrowband
         * @interface IError
         * @augments narrowband.Error.$Properties
         * @deprecated Use narrowband.Error.$Properties instead.
         */

        /**
         * Shape of an Error.
         * @typedef {narrowband.Error.$Properties} narrowband.Error.$Shape
         */

        /**
         * Constructs a new Error.
         * @memberof narrowband
         * @classdesc Represents an Error.
         * @constructor
         * @param {narrowband.Error.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const Error = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * Error code.
         * @member {string} code
         * @memberof narrowband.Error
         * @instance
         */
        Error.prototype.code = "";

        /**
         * Error message.
         * @member {string} message
         * @memberof narrowband.Error
         * @instance
         */
        Error.prototype.message = "";

        /**
         * Encodes the specified Error message. Does not implicitly {@link narrowband.Error.verify|verify} messages.
         * @function encode
         * @memberof narrowband.Error
         * @static
         * @param {narrowband.Error.$Properties} message Error message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        Error.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.code);
            if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                writer.uint32(/* id 2, wireType 2 =*/18).string(message.message);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an Error message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.Error
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.Error & narrowband.Error.$Shape} Error
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        Error.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.Error();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.code = value;
                        else
                            delete message.code;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.message = value;
                        else
                            delete message.message;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates an Error message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.Error
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.Error} Error
         */
        Error.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.Error)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.Error: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.Error();
            if (object.code != null)
                if (typeof object.code !== "string" || object.code.length)
                    message.code = $String(object.code);
            if (object.message != null)
                if (typeof object.message !== "string" || object.message.length)
                    message.message = $String(object.message);
            return message;
        };

        /**
         * Creates a plain object from an Error message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.Error
         * @static
         * @param {narrowband.Error} message Error
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        Error.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.code = "";
                object.message = "";
            }
            if (message.code != null && $Object.hasOwnProperty.call(message, "code"))
                object.code = message.code;
            if (message.message != null && $Object.hasOwnProperty.call(message, "message"))
                object.message = message.message;
            return object;
        };

        /**
         * Converts this Error to JSON.
         * @function toJSON
         * @memberof narrowband.Error
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        Error.prototype.toJSON = function() {
            return Error.toObject(this, $protobuf.util.toJSONOptions);
        };

        return Error;
    })();

    narrowband.JobConfig = (function() {

        /**
         * Properties of a JobConfig.
         * @typedef {Object} narrowband.JobConfig.$Properties
         * @property {narrowband.JobConfig.Split|null} [split] JobConfig split
         * @property {narrowband.JobConfig.Mode|null} [mode] JobConfig mode
         * @property {narrowband.JobConfig.Aggregation|null} [aggregation] JobConfig aggregation
         * @property {number|null} [averageEvery] JobConfig averageEvery
         * @property {number|null} [steps] JobConfig steps
         * @property {number|null} [microBatches] JobConfig microBatches
         * @property {number|null} [inFlight] JobConfig inFlight
         * @property {number|null} [seed] JobConfig seed
         * @property {narrowband.ModelSpec.$Properties|null} [model] JobConfig model
         * @property {narrowband.LoraSpec.$Properties|null} [lora] JobConfig lora
         * @property {narrowband.OptimizerSpec.$Properties|null} [optimizer] JobConfig optimizer
         * @property {string|null} [codecA1] JobConfig codecA1
         * @property {string|null} [codecA2] JobConfig codecA2
         * @property {string|null} [codecG2] JobConfig codecG2
         * @property {string|null} [codecG1] JobConfig codecG1
         * @property {number|null} [maxFrameBytes] JobConfig maxFrameBytes
         * @property {number|null} [maxTokens] JobConfig maxTokens
         * @property {number|null} [maxRows] JobConfig maxRows
         * @property {number|null} [maxRowTokens] JobConfig maxRowTokens
         * @property {number|null} [heartbeatMs] JobConfig heartbeatMs
         * @property {number|null} [stepDeadlineMs] JobConfig stepDeadlineMs
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a JobConfig.
         * @memberof narrowband
         * @interface IJobConfig
         * @augments narrowband.JobConfig.$Properties
         * @deprecated Use narrowband.JobConfig.$Properties instead.
         */

        /**
         * Shape of a JobConfig.
         * @typedef {narrowband.JobConfig.$Properties} narrowband.JobConfig.$Shape
         */

        /**
         * Constructs a new JobConfig.
         * @memberof narrowband
         * @classdesc Represents a JobConfig.
         * @constructor
         * @param {narrowband.JobConfig.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const JobConfig = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * JobConfig split.
         * @member {narrowband.JobConfig.Split} split
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.split = 0;

        /**
         * JobConfig mode.
         * @member {narrowband.JobConfig.Mode} mode
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.mode = 0;

        /**
         * JobConfig aggregation.
         * @member {narrowband.JobConfig.Aggregation} aggregation
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.aggregation = 0;

        /**
         * JobConfig averageEvery.
         * @member {number} averageEvery
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.averageEvery = 0;

        /**
         * JobConfig steps.
         * @member {number} steps
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.steps = 0;

        /**
         * JobConfig microBatches.
         * @member {number} microBatches
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.microBatches = 0;

        /**
         * JobConfig inFlight.
         * @member {number} inFlight
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.inFlight = 0;

        /**
         * JobConfig seed.
         * @member {number} seed
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.seed = 0;

        /**
         * JobConfig model.
         * @member {narrowband.ModelSpec.$Properties|null|undefined} model
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.model = null;

        /**
         * JobConfig lora.
         * @member {narrowband.LoraSpec.$Properties|null|undefined} lora
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.lora = null;

        /**
         * JobConfig optimizer.
         * @member {narrowband.OptimizerSpec.$Properties|null|undefined} optimizer
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.optimizer = null;

        /**
         * JobConfig codecA1.
         * @member {string} codecA1
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.codecA1 = "";

        /**
         * JobConfig codecA2.
         * @member {string} codecA2
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.codecA2 = "";

        /**
         * JobConfig codecG2.
         * @member {string} codecG2
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.codecG2 = "";

        /**
         * JobConfig codecG1.
         * @member {string} codecG1
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.codecG1 = "";

        /**
         * JobConfig maxFrameBytes.
         * @member {number} maxFrameBytes
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.maxFrameBytes = 0;

        /**
         * JobConfig maxTokens.
         * @member {number} maxTokens
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.maxTokens = 0;

        /**
         * JobConfig maxRows.
         * @member {number} maxRows
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.maxRows = 0;

        /**
         * JobConfig maxRowTokens.
         * @member {number} maxRowTokens
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.maxRowTokens = 0;

        /**
         * JobConfig heartbeatMs.
         * @member {number} heartbeatMs
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.heartbeatMs = 0;

        /**
         * JobConfig stepDeadlineMs.
         * @member {number} stepDeadlineMs
         * @memberof narrowband.JobConfig
         * @instance
         */
        JobConfig.prototype.stepDeadlineMs = 0;

        /**
         * Encodes the specified JobConfig message. Does not implicitly {@link narrowband.JobConfig.verify|verify} messages.
         * @function encode
         * @memberof narrowband.JobConfig
         * @static
         * @param {narrowband.JobConfig.$Properties} message JobConfig message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        JobConfig.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.split != null && $Object.hasOwnProperty.call(message, "split") && message.split !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).int32(message.split);
            if (message.mode != null && $Object.hasOwnProperty.call(message, "mode") && message.mode !== 0)
                writer.uint32(/* id 2, wireType 0 =*/16).int32(message.mode);
            if (message.aggregation != null && $Object.hasOwnProperty.call(message, "aggregation") && message.aggregation !== 0)
                writer.uint32(/* id 3, wireType 0 =*/24).int32(message.aggregation);
            if (message.averageEvery != null && $Object.hasOwnProperty.call(message, "averageEvery") && message.averageEvery !== 0)
                writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.averageEvery);
            if (message.steps != null && $Object.hasOwnProperty.call(message, "steps") && message.steps !== 0)
                writer.uint32(/* id 5, wireType 0 =*/40).uint32(message.steps);
            if (message.microBatches != null && $Object.hasOwnProperty.call(message, "microBatches") && message.microBatches !== 0)
                writer.uint32(/* id 6, wireType 0 =*/48).uint32(message.microBatches);
            if (message.inFlight != null && $Object.hasOwnProperty.call(message, "inFlight") && message.inFlight !== 0)
                writer.uint32(/* id 7, wireType 0 =*/56).uint32(message.inFlight);
            if (message.seed != null && $Object.hasOwnProperty.call(message, "seed") && message.seed !== 0)
                writer.uint32(/* id 8, wireType 0 =*/64).uint32(message.seed);
            if (message.model != null && $Object.hasOwnProperty.call(message, "model"))
                $root.narrowband.ModelSpec.encode(message.model, writer.uint32(/* id 9, wireType 2 =*/74).fork(), _depth + 1).ldelim();
            if (message.lora != null && $Object.hasOwnProperty.call(message, "lora"))
                $root.narrowband.LoraSpec.encode(message.lora, writer.uint32(/* id 10, wireType 2 =*/82).fork(), _depth + 1).ldelim();
            if (message.optimizer != null && $Object.hasOwnProperty.call(message, "optimizer"))
                $root.narrowband.OptimizerSpec.encode(message.optimizer, writer.uint32(/* id 11, wireType 2 =*/90).fork(), _depth + 1).ldelim();
            if (message.codecA1 != null && $Object.hasOwnProperty.call(message, "codecA1") && message.codecA1 !== "")
                writer.uint32(/* id 12, wireType 2 =*/98).string(message.codecA1);
            if (message.codecA2 != null && $Object.hasOwnProperty.call(message, "codecA2") && message.codecA2 !== "")
                writer.uint32(/* id 13, wireType 2 =*/106).string(message.codecA2);
            if (message.codecG2 != null && $Object.hasOwnProperty.call(message, "codecG2") && message.codecG2 !== "")
                writer.uint32(/* id 14, wireType 2 =*/114).string(message.codecG2);
            if (message.codecG1 != null && $Object.hasOwnProperty.call(message, "codecG1") && message.codecG1 !== "")
                writer.uint32(/* id 15, wireType 2 =*/122).string(message.codecG1);
            if (message.maxFrameBytes != null && $Object.hasOwnProperty.call(message, "maxFrameBytes") && message.maxFrameBytes !== 0)
                writer.uint32(/* id 16, wireType 0 =*/128).uint32(message.maxFrameBytes);
            if (message.maxTokens != null && $Object.hasOwnProperty.call(message, "maxTokens") && message.maxTokens !== 0)
                writer.uint32(/* id 17, wireType 0 =*/136).uint32(message.maxTokens);
            if (message.maxRows != null && $Object.hasOwnProperty.call(message, "maxRows") && message.maxRows !== 0)
                writer.uint32(/* id 18, wireType 0 =*/144).uint32(message.maxRows);
            if (message.maxRowTokens != null && $Object.hasOwnProperty.call(message, "maxRowTokens") && message.maxRowTokens !== 0)
                writer.uint32(/* id 19, wireType 0 =*/152).uint32(message.maxRowTokens);
            if (message.heartbeatMs != null && $Object.hasOwnProperty.call(message, "heartbeatMs") && message.heartbeatMs !== 0)
                writer.uint32(/* id 20, wireType 0 =*/160).uint32(message.heartbeatMs);
            if (message.stepDeadlineMs != null && $Object.hasOwnProperty.call(message, "stepDeadlineMs") && message.stepDeadlineMs !== 0)
                writer.uint32(/* id 21, wireType 0 =*/168).uint32(message.stepDeadlineMs);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a JobConfig message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.JobConfig
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.JobConfig & narrowband.JobConfig.$Shape} JobConfig
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        JobConfig.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.JobConfig();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.split = value;
                        else
                            delete message.split;
                        continue;
                    }
                case 2: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.mode = value;
                        else
                            delete message.mode;
                        continue;
                    }
                case 3: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.aggregation = value;
                        else
                            delete message.aggregation;
                        continue;
                    }
                case 4: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.averageEvery = value;
                        else
                            delete message.averageEvery;
                        continue;
                    }
                case 5: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.steps = value;
                        else
                            delete message.steps;
                        continue;
                    }
                case 6: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.microBatches = value;
                        else
                            delete message.microBatches;
                        continue;
                    }
                case 7: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.inFlight = value;
                        else
                            delete message.inFlight;
                        continue;
                    }
                case 8: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.seed = value;
                        else
                            delete message.seed;
                        continue;
                    }
                case 9: {
                        if (wireType !== 2)
                            break;
                        message.model = $root.narrowband.ModelSpec.decode(reader, reader.size(), $undefined, _depth + 1, message.model);
                        continue;
                    }
                case 10: {
                        if (wireType !== 2)
                            break;
                        message.lora = $root.narrowband.LoraSpec.decode(reader, reader.size(), $undefined, _depth + 1, message.lora);
                        continue;
                    }
                case 11: {
                        if (wireType !== 2)
                            break;
                        message.optimizer = $root.narrowband.OptimizerSpec.decode(reader, reader.size(), $undefined, _depth + 1, message.optimizer);
                        continue;
                    }
                case 12: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.codecA1 = value;
                        else
                            delete message.codecA1;
                        continue;
                    }
                case 13: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.codecA2 = value;
                        else
                            delete message.codecA2;
                        continue;
                    }
                case 14: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.codecG2 = value;
                        else
                            delete message.codecG2;
                        continue;
                    }
                case 15: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.codecG1 = value;
                        else
                            delete message.codecG1;
                        continue;
                    }
                case 16: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.maxFrameBytes = value;
                        else
                            delete message.maxFrameBytes;
                        continue;
                    }
                case 17: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.maxTokens = value;
                        else
                            delete message.maxTokens;
                        continue;
                    }
                case 18: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.maxRows = value;
                        else
                            delete message.maxRows;
                        continue;
                    }
                case 19: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.maxRowTokens = value;
                        else
                            delete message.maxRowTokens;
                        continue;
                    }
                case 20: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.heartbeatMs = value;
                        else
                            delete message.heartbeatMs;
                        continue;
                    }
                case 21: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.stepDeadlineMs = value;
                        else
                            delete message.stepDeadlineMs;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a JobConfig message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.JobConfig
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.JobConfig} JobConfig
         */
        JobConfig.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.JobConfig)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.JobConfig: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.JobConfig();
            if (object.split !== 0 && (typeof object.split !== "string" || $root.narrowband.JobConfig.Split[object.split] !== 0))
                switch (object.split) {
                case "SPLIT_UNSPECIFIED":
                case 0:
                    message.split = 0;
                    break;
                case "U_SHAPE":
                case 1:
                    message.split = 1;
                    break;
                case "VANILLA":
                case 2:
                    message.split = 2;
                    break;
                default:
                    if (typeof object.split === "number" && (object.split | 0) === object.split)
                        message.split = object.split;
                }
            if (object.mode !== 0 && (typeof object.mode !== "string" || $root.narrowband.JobConfig.Mode[object.mode] !== 0))
                switch (object.mode) {
                case "MODE_UNSPECIFIED":
                case 0:
                    message.mode = 0;
                    break;
                case "SYNC":
                case 1:
                    message.mode = 1;
                    break;
                case "SEQUENTIAL":
                case 2:
                    message.mode = 2;
                    break;
                default:
                    if (typeof object.mode === "number" && (object.mode | 0) === object.mode)
                        message.mode = object.mode;
                }
            if (object.aggregation !== 0 && (typeof object.aggregation !== "string" || $root.narrowband.JobConfig.Aggregation[object.aggregation] !== 0))
                switch (object.aggregation) {
                case "AGGREGATION_UNSPECIFIED":
                case 0:
                    message.aggregation = 0;
                    break;
                case "PERSONAL":
                case 1:
                    message.aggregation = 1;
                    break;
                case "FEDAVG":
                case 2:
                    message.aggregation = 2;
                    break;
                default:
                    if (typeof object.aggregation === "number" && (object.aggregation | 0) === object.aggregation)
                        message.aggregation = object.aggregation;
                }
            if (object.averageEvery != null)
                if ($Number(object.averageEvery) !== 0)
                    message.averageEvery = object.averageEvery >>> 0;
            if (object.steps != null)
                if ($Number(object.steps) !== 0)
                    message.steps = object.steps >>> 0;
            if (object.microBatches != null)
                if ($Number(object.microBatches) !== 0)
                    message.microBatches = object.microBatches >>> 0;
            if (object.inFlight != null)
                if ($Number(object.inFlight) !== 0)
                    message.inFlight = object.inFlight >>> 0;
            if (object.seed != null)
                if ($Number(object.seed) !== 0)
                    message.seed = object.seed >>> 0;
            if (object.model != null) {
                if (!$util.isObject(object.model))
                    throw $TypeError(".narrowband.JobConfig.model: object expected");
                message.model = $root.narrowband.ModelSpec.fromObject(object.model, _depth + 1);
            }
            if (object.lora != null) {
                if (!$util.isObject(object.lora))
                    throw $TypeError(".narrowband.JobConfig.lora: object expected");
                message.lora = $root.narrowband.LoraSpec.fromObject(object.lora, _depth + 1);
            }
            if (object.optimizer != null) {
                if (!$util.isObject(object.optimizer))
                    throw $TypeError(".narrowband.JobConfig.optimizer: object expected");
                message.optimizer = $root.narrowband.OptimizerSpec.fromObject(object.optimizer, _depth + 1);
            }
            if (object.codecA1 != null)
                if (typeof object.codecA1 !== "string" || object.codecA1.length)
                    message.codecA1 = $String(object.codecA1);
            if (object.codecA2 != null)
                if (typeof object.codecA2 !== "string" || object.codecA2.length)
                    message.codecA2 = $String(object.codecA2);
            if (object.codecG2 != null)
                if (typeof object.codecG2 !== "string" || object.codecG2.length)
                    message.codecG2 = $String(object.codecG2);
            if (object.codecG1 != null)
                if (typeof object.codecG1 !== "string" || object.codecG1.length)
                    message.codecG1 = $String(object.codecG1);
            if (object.maxFrameBytes != null)
                if ($Number(object.maxFrameBytes) !== 0)
                    message.maxFrameBytes = object.maxFrameBytes >>> 0;
            if (object.maxTokens != null)
                if ($Number(object.maxTokens) !== 0)
                    message.maxTokens = object.maxTokens >>> 0;
            if (object.maxRows != null)
                if ($Number(object.maxRows) !== 0)
                    message.maxRows = object.maxRows >>> 0;
            if (object.maxRowTokens != null)
                if ($Number(object.maxRowTokens) !== 0)
                    message.maxRowTokens = object.maxRowTokens >>> 0;
            if (object.heartbeatMs != null)
                if ($Number(object.heartbeatMs) !== 0)
                    message.heartbeatMs = object.heartbeatMs >>> 0;
            if (object.stepDeadlineMs != null)
                if ($Number(object.stepDeadlineMs) !== 0)
                    message.stepDeadlineMs = object.stepDeadlineMs >>> 0;
            return message;
        };

        /**
         * Creates a plain object from a JobConfig message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.JobConfig
         * @static
         * @param {narrowband.JobConfig} message JobConfig
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        JobConfig.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.split = options.enums === $String ? "SPLIT_UNSPECIFIED" : 0;
                object.mode = options.enums === $String ? "MODE_UNSPECIFIED" : 0;
                object.aggregation = options.enums === $String ? "AGGREGATION_UNSPECIFIED" : 0;
                object.averageEvery = 0;
                object.steps = 0;
                object.microBatches = 0;
                object.inFlight = 0;
                object.seed = 0;
                object.model = null;
                object.lora = null;
                object.optimizer = null;
                object.codecA1 = "";
                object.codecA2 = "";
                object.codecG2 = "";
                object.codecG1 = "";
                object.maxFrameBytes = 0;
                object.maxTokens = 0;
                object.maxRows = 0;
                object.maxRowTokens = 0;
                object.heartbeatMs = 0;
                object.stepDeadlineMs = 0;
            }
            if (message.split != null && $Object.hasOwnProperty.call(message, "split"))
                object.split = options.enums === $String ? $root.narrowband.JobConfig.Split[message.split] === $undefined ? message.split : $root.narrowband.JobConfig.Split[message.split] : message.split;
            if (message.mode != null && $Object.hasOwnProperty.call(message, "mode"))
                object.mode = options.enums === $String ? $root.narrowband.JobConfig.Mode[message.mode] === $undefined ? message.mode : $root.narrowband.JobConfig.Mode[message.mode] : message.mode;
            if (message.aggregation != null && $Object.hasOwnProperty.call(message, "aggregation"))
                object.aggregation = options.enums === $String ? $root.narrowband.JobConfig.Aggregation[message.aggregation] === $undefined ? message.aggregation : $root.narrowband.JobConfig.Aggregation[message.aggregation] : message.aggregation;
            if (message.averageEvery != null && $Object.hasOwnProperty.call(message, "averageEvery"))
                object.averageEvery = message.averageEvery;
            if (message.steps != null && $Object.hasOwnProperty.call(message, "steps"))
                object.steps = message.steps;
            if (message.microBatches != null && $Object.hasOwnProperty.call(message, "microBatches"))
                object.microBatches = message.microBatches;
            if (message.inFlight != null && $Object.hasOwnProperty.call(message, "inFlight"))
                object.inFlight = message.inFlight;
            if (message.seed != null && $Object.hasOwnProperty.call(message, "seed"))
                object.seed = message.seed;
            if (message.model != null && $Object.hasOwnProperty.call(message, "model"))
                object.model = $root.narrowband.ModelSpec.toObject(message.model, options, _depth + 1);
            if (message.lora != null && $Object.hasOwnProperty.call(message, "lora"))
                object.lora = $root.narrowband.LoraSpec.toObject(message.lora, options, _depth + 1);
            if (message.optimizer != null && $Object.hasOwnProperty.call(message, "optimizer"))
                object.optimizer = $root.narrowband.OptimizerSpec.toObject(message.optimizer, options, _depth + 1);
            if (message.codecA1 != null && $Object.hasOwnProperty.call(message, "codecA1"))
                object.codecA1 = message.codecA1;
            if (message.codecA2 != null && $Object.hasOwnProperty.call(message, "codecA2"))
                object.codecA2 = message.codecA2;
            if (message.codecG2 != null && $Object.hasOwnProperty.call(message, "codecG2"))
                object.codecG2 = message.codecG2;
            if (message.codecG1 != null && $Object.hasOwnProperty.call(message, "codecG1"))
                object.codecG1 = message.codecG1;
            if (message.maxFrameBytes != null && $Object.hasOwnProperty.call(message, "maxFrameBytes"))
                object.maxFrameBytes = message.maxFrameBytes;
            if (message.maxTokens != null && $Object.hasOwnProperty.call(message, "maxTokens"))
                object.maxTokens = message.maxTokens;
            if (message.maxRows != null && $Object.hasOwnProperty.call(message, "maxRows"))
                object.maxRows = message.maxRows;
            if (message.maxRowTokens != null && $Object.hasOwnProperty.call(message, "maxRowTokens"))
                object.maxRowTokens = message.maxRowTokens;
            if (message.heartbeatMs != null && $Object.hasOwnProperty.call(message, "heartbeatMs"))
                object.heartbeatMs = message.heartbeatMs;
            if (message.stepDeadlineMs != null && $Object.hasOwnProperty.call(message, "stepDeadlineMs"))
                object.stepDeadlineMs = message.stepDeadlineMs;
            return object;
        };

        /**
         * Converts this JobConfig to JSON.
         * @function toJSON
         * @memberof narrowband.JobConfig
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        JobConfig.prototype.toJSON = function() {
            return JobConfig.toObject(this, $protobuf.util.toJSONOptions);
        };

        /**
         * Split enum.
         * @name narrowband.JobConfig.Split
         * @enum {number}
         * @property {number} SPLIT_UNSPECIFIED=0 SPLIT_UNSPECIFIED value
         * @property {number} U_SHAPE=1 U_SHAPE value
         * @property {number} VANILLA=2 VANILLA value
         */
        JobConfig.Split = (function() {
            const valuesById = $Object.create(null), values = $Object.create(valuesById);
            values[valuesById[0] = "SPLIT_UNSPECIFIED"] = 0;
            values[valuesById[1] = "U_SHAPE"] = 1;
            values[valuesById[2] = "VANILLA"] = 2;
            return values;
        })();

        /**
         * Mode enum.
         * @name narrowband.JobConfig.Mode
         * @enum {number}
         * @property {number} MODE_UNSPECIFIED=0 MODE_UNSPECIFIED value
         * @property {number} SYNC=1 SYNC value
         * @property {number} SEQUENTIAL=2 SEQUENTIAL value
         */
        JobConfig.Mode = (function() {
            const valuesById = $Object.create(null), values = $Object.create(valuesById);
            values[valuesById[0] = "MODE_UNSPECIFIED"] = 0;
            values[valuesById[1] = "SYNC"] = 1;
            values[valuesById[2] = "SEQUENTIAL"] = 2;
            return values;
        })();

        /**
         * Aggregation enum.
         * @name narrowband.JobConfig.Aggregation
         * @enum {number}
         * @property {number} AGGREGATION_UNSPECIFIED=0 AGGREGATION_UNSPECIFIED value
         * @property {number} PERSONAL=1 PERSONAL value
         * @property {number} FEDAVG=2 FEDAVG value
         */
        JobConfig.Aggregation = (function() {
            const valuesById = $Object.create(null), values = $Object.create(valuesById);
            values[valuesById[0] = "AGGREGATION_UNSPECIFIED"] = 0;
            values[valuesById[1] = "PERSONAL"] = 1;
            values[valuesById[2] = "FEDAVG"] = 2;
            return values;
        })();

        return JobConfig;
    })();

    narrowband.ModelSpec = (function() {

        /**
         * Properties of a ModelSpec.
         * @typedef {Object} narrowband.ModelSpec.$Properties
         * @property {string|null} [name] ModelSpec name
         * @property {string|null} [fingerprint] ModelSpec fingerprint
         * @property {string|null} [tokenizerFingerprint] ModelSpec tokenizerFingerprint
         * @property {number|null} [hidden] ModelSpec hidden
         * @property {number|null} [bottomBlocks] ModelSpec bottomBlocks
         * @property {number|null} [trunkBlocks] ModelSpec trunkBlocks
         * @property {number|null} [topBlocks] ModelSpec topBlocks
         * @property {number|null} [vocabulary] ModelSpec vocabulary
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a ModelSpec.
         * @memberof narrowband
         * @interface IModelSpec
         * @augments narrowband.ModelSpec.$Properties
         * @deprecated Use narrowband.ModelSpec.$Properties instead.
         */

        /**
         * Shape of a ModelSpec.
         * @typedef {narrowband.ModelSpec.$Properties} narrowband.ModelSpec.$Shape
         */

        /**
         * Constructs a new ModelSpec.
         * @memberof narrowband
         * @classdesc Represents a ModelSpec.
         * @constructor
         * @param {narrowband.ModelSpec.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const ModelSpec = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * ModelSpec name.
         * @member {string} name
         * @memberof narrowband.ModelSpec
         * @instance
         */
        ModelSpec.prototype.name = "";

        /**
         * ModelSpec fingerprint.
         * @member {string} fingerprint
         * @memberof narrowband.ModelSpec
         * @instance
         */
        ModelSpec.prototype.fingerprint = "";

        /**
         * ModelSpec tokenizerFingerprint.
         * @member {string} tokenizerFingerprint
         * @memberof narrowband.ModelSpec
         * @instance
         */
        ModelSpec.prototype.tokenizerFingerprint = "";

        /**
         * ModelSpec hidden.
         * @member {number} hidden
         * @memberof narrowband.ModelSpec
         * @instance
         */
        ModelSpec.prototype.hidden = 0;

        /**
         * ModelSpec bottomBlocks.
         * @member {number} bottomBlocks
         * @memberof narrowband.ModelSpec
         * @instance
         */
        ModelSpec.prototype.bottomBlocks = 0;

        /**
         * ModelSpec trunkBlocks.
         * @member {number} trunkBlocks
         * @memberof narrowband.ModelSpec
         * @instance
         */
        ModelSpec.prototype.trunkBlocks = 0;

        /**
         * ModelSpec topBlocks.
         * @member {number} topBlocks
         * @memberof narrowband.ModelSpec
         * @instance
         */
        ModelSpec.prototype.topBlocks = 0;

        /**
         * ModelSpec vocabulary.
         * @member {number} vocabulary
         * @memberof narrowband.ModelSpec
         * @instance
         */
        ModelSpec.prototype.vocabulary = 0;

        /**
         * Encodes the specified ModelSpec message. Does not implicitly {@link narrowband.ModelSpec.verify|verify} messages.
         * @function encode
         * @memberof narrowband.ModelSpec
         * @static
         * @param {narrowband.ModelSpec.$Properties} message ModelSpec message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        ModelSpec.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.name != null && $Object.hasOwnProperty.call(message, "name") && message.name !== "")
                writer.uint32(/* id 1, wireType 2 =*/10).string(message.name);
            if (message.fingerprint != null && $Object.hasOwnProperty.call(message, "fingerprint") && message.fingerprint !== "")
                writer.uint32(/* id 2, wireType 2 =*/18).string(message.fingerprint);
            if (message.tokenizerFingerprint != null && $Object.hasOwnProperty.call(message, "tokenizerFingerprint") && message.tokenizerFingerprint !== "")
                writer.uint32(/* id 3, wireType 2 =*/26).string(message.tokenizerFingerprint);
            if (message.hidden != null && $Object.hasOwnProperty.call(message, "hidden") && message.hidden !== 0)
                writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.hidden);
            if (message.bottomBlocks != null && $Object.hasOwnProperty.call(message, "bottomBlocks") && message.bottomBlocks !== 0)
                writer.uint32(/* id 5, wireType 0 =*/40).uint32(message.bottomBlocks);
            if (message.trunkBlocks != null && $Object.hasOwnProperty.call(message, "trunkBlocks") && message.trunkBlocks !== 0)
                writer.uint32(/* id 6, wireType 0 =*/48).uint32(message.trunkBlocks);
            if (message.topBlocks != null && $Object.hasOwnProperty.call(message, "topBlocks") && message.topBlocks !== 0)
                writer.uint32(/* id 7, wireType 0 =*/56).uint32(message.topBlocks);
            if (message.vocabulary != null && $Object.hasOwnProperty.call(message, "vocabulary") && message.vocabulary !== 0)
                writer.uint32(/* id 8, wireType 0 =*/64).uint32(message.vocabulary);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a ModelSpec message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.ModelSpec
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.ModelSpec & narrowband.ModelSpec.$Shape} ModelSpec
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        ModelSpec.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.ModelSpec();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.name = value;
                        else
                            delete message.name;
                        continue;
                    }
                case 2: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.fingerprint = value;
                        else
                            delete message.fingerprint;
                        continue;
                    }
                case 3: {
                        if (wireType !== 2)
                            break;
                        if ((value = reader.stringVerify()).length)
                            message.tokenizerFingerprint = value;
                        else
                            delete message.tokenizerFingerprint;
                        continue;
                    }
                case 4: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.hidden = value;
                        else
                            delete message.hidden;
                        continue;
                    }
                case 5: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.bottomBlocks = value;
                        else
                            delete message.bottomBlocks;
                        continue;
                    }
                case 6: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.trunkBlocks = value;
                        else
                            delete message.trunkBlocks;
                        continue;
                    }
                case 7: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.topBlocks = value;
                        else
                            delete message.topBlocks;
                        continue;
                    }
                case 8: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.vocabulary = value;
                        else
                            delete message.vocabulary;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a ModelSpec message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.ModelSpec
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.ModelSpec} ModelSpec
         */
        ModelSpec.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.ModelSpec)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.ModelSpec: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.ModelSpec();
            if (object.name != null)
                if (typeof object.name !== "string" || object.name.length)
                    message.name = $String(object.name);
            if (object.fingerprint != null)
                if (typeof object.fingerprint !== "string" || object.fingerprint.length)
                    message.fingerprint = $String(object.fingerprint);
            if (object.tokenizerFingerprint != null)
                if (typeof object.tokenizerFingerprint !== "string" || object.tokenizerFingerprint.length)
                    message.tokenizerFingerprint = $String(object.tokenizerFingerprint);
            if (object.hidden != null)
                if ($Number(object.hidden) !== 0)
                    message.hidden = object.hidden >>> 0;
            if (object.bottomBlocks != null)
                if ($Number(object.bottomBlocks) !== 0)
                    message.bottomBlocks = object.bottomBlocks >>> 0;
            if (object.trunkBlocks != null)
                if ($Number(object.trunkBlocks) !== 0)
                    message.trunkBlocks = object.trunkBlocks >>> 0;
            if (object.topBlocks != null)
                if ($Number(object.topBlocks) !== 0)
                    message.topBlocks = object.topBlocks >>> 0;
            if (object.vocabulary != null)
                if ($Number(object.vocabulary) !== 0)
                    message.vocabulary = object.vocabulary >>> 0;
            return message;
        };

        /**
         * Creates a plain object from a ModelSpec message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.ModelSpec
         * @static
         * @param {narrowband.ModelSpec} message ModelSpec
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        ModelSpec.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.name = "";
                object.fingerprint = "";
                object.tokenizerFingerprint = "";
                object.hidden = 0;
                object.bottomBlocks = 0;
                object.trunkBlocks = 0;
                object.topBlocks = 0;
                object.vocabulary = 0;
            }
            if (message.name != null && $Object.hasOwnProperty.call(message, "name"))
                object.name = message.name;
            if (message.fingerprint != null && $Object.hasOwnProperty.call(message, "fingerprint"))
                object.fingerprint = message.fingerprint;
            if (message.tokenizerFingerprint != null && $Object.hasOwnProperty.call(message, "tokenizerFingerprint"))
                object.tokenizerFingerprint = message.tokenizerFingerprint;
            if (message.hidden != null && $Object.hasOwnProperty.call(message, "hidden"))
                object.hidden = message.hidden;
            if (message.bottomBlocks != null && $Object.hasOwnProperty.call(message, "bottomBlocks"))
                object.bottomBlocks = message.bottomBlocks;
            if (message.trunkBlocks != null && $Object.hasOwnProperty.call(message, "trunkBlocks"))
                object.trunkBlocks = message.trunkBlocks;
            if (message.topBlocks != null && $Object.hasOwnProperty.call(message, "topBlocks"))
                object.topBlocks = message.topBlocks;
            if (message.vocabulary != null && $Object.hasOwnProperty.call(message, "vocabulary"))
                object.vocabulary = message.vocabulary;
            return object;
        };

        /**
         * Converts this ModelSpec to JSON.
         * @function toJSON
         * @memberof narrowband.ModelSpec
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        ModelSpec.prototype.toJSON = function() {
            return ModelSpec.toObject(this, $protobuf.util.toJSONOptions);
        };

        return ModelSpec;
    })();

    narrowband.LoraSpec = (function() {

        /**
         * Properties of a LoraSpec.
         * @typedef {Object} narrowband.LoraSpec.$Properties
         * @property {number|null} [rank] LoraSpec rank
         * @property {number|null} [alpha] LoraSpec alpha
         * @property {number|null} [dropout] LoraSpec dropout
         * @property {Array.<string>|null} [targetModules] LoraSpec targetModules
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of a LoraSpec.
         * @memberof narrowband
         * @interface ILoraSpec
         * @augments narrowband.LoraSpec.$Properties
         * @deprecated Use narrowband.LoraSpec.$Properties instead.
         */

        /**
         * Shape of a LoraSpec.
         * @typedef {narrowband.LoraSpec.$Properties} narrowband.LoraSpec.$Shape
         */

        /**
         * Constructs a new LoraSpec.
         * @memberof narrowband
         * @classdesc Represents a LoraSpec.
         * @constructor
         * @param {narrowband.LoraSpec.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const LoraSpec = function (properties) {
            this.targetModules = [];
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * LoraSpec rank.
         * @member {number} rank
         * @memberof narrowband.LoraSpec
         * @instance
         */
        LoraSpec.prototype.rank = 0;

        /**
         * LoraSpec alpha.
         * @member {number} alpha
         * @memberof narrowband.LoraSpec
         * @instance
         */
        LoraSpec.prototype.alpha = 0;

        /**
         * LoraSpec dropout.
         * @member {number} dropout
         * @memberof narrowband.LoraSpec
         * @instance
         */
        LoraSpec.prototype.dropout = 0;

        /**
         * LoraSpec targetModules.
         * @member {Array.<string>} targetModules
         * @memberof narrowband.LoraSpec
         * @instance
         */
        LoraSpec.prototype.targetModules = $util.emptyArray;

        /**
         * Encodes the specified LoraSpec message. Does not implicitly {@link narrowband.LoraSpec.verify|verify} messages.
         * @function encode
         * @memberof narrowband.LoraSpec
         * @static
         * @param {narrowband.LoraSpec.$Properties} message LoraSpec message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        LoraSpec.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.rank != null && $Object.hasOwnProperty.call(message, "rank") && message.rank !== 0)
                writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.rank);
            if (message.alpha != null && $Object.hasOwnProperty.call(message, "alpha") && !$Object.is(message.alpha, 0))
                writer.uint32(/* id 2, wireType 1 =*/17).double(message.alpha);
            if (message.dropout != null && $Object.hasOwnProperty.call(message, "dropout") && !$Object.is(message.dropout, 0))
                writer.uint32(/* id 3, wireType 1 =*/25).double(message.dropout);
            if (message.targetModules != null && message.targetModules.length)
                for (let i = 0; i < message.targetModules.length; ++i)
                    writer.uint32(/* id 4, wireType 2 =*/34).string(message.targetModules[i]);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes a LoraSpec message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.LoraSpec
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.LoraSpec & narrowband.LoraSpec.$Shape} LoraSpec
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        LoraSpec.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.LoraSpec();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.rank = value;
                        else
                            delete message.rank;
                        continue;
                    }
                case 2: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.alpha = value;
                        else
                            delete message.alpha;
                        continue;
                    }
                case 3: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.dropout = value;
                        else
                            delete message.dropout;
                        continue;
                    }
                case 4: {
                        if (wireType !== 2)
                            break;
                        if (!(message.targetModules && message.targetModules.length))
                            message.targetModules = [];
                        message.targetModules.push(reader.stringVerify());
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates a LoraSpec message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.LoraSpec
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.LoraSpec} LoraSpec
         */
        LoraSpec.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.LoraSpec)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.LoraSpec: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.LoraSpec();
            if (object.rank != null)
                if ($Number(object.rank) !== 0)
                    message.rank = object.rank >>> 0;
            if (object.alpha != null)
                if (!$Object.is($Number(object.alpha), 0))
                    message.alpha = $Number(object.alpha);
            if (object.dropout != null)
                if (!$Object.is($Number(object.dropout), 0))
                    message.dropout = $Number(object.dropout);
            if (object.targetModules) {
                if (!$Array.isArray(object.targetModules))
                    throw $TypeError(".narrowband.LoraSpec.targetModules: array expected");
                message.targetModules = $Array(object.targetModules.length);
                for (let i = 0; i < object.targetModules.length; ++i)
                    message.targetModules[i] = $String(object.targetModules[i]);
            }
            return message;
        };

        /**
         * Creates a plain object from a LoraSpec message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.LoraSpec
         * @static
         * @param {narrowband.LoraSpec} message LoraSpec
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        LoraSpec.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.arrays || options.defaults)
                object.targetModules = [];
            if (options.defaults) {
                object.rank = 0;
                object.alpha = 0;
                object.dropout = 0;
            }
            if (message.rank != null && $Object.hasOwnProperty.call(message, "rank"))
                object.rank = message.rank;
            if (message.alpha != null && $Object.hasOwnProperty.call(message, "alpha"))
                object.alpha = options.json && !$isFinite(message.alpha) ? $String(message.alpha) : message.alpha;
            if (message.dropout != null && $Object.hasOwnProperty.call(message, "dropout"))
                object.dropout = options.json && !$isFinite(message.dropout) ? $String(message.dropout) : message.dropout;
            if (message.targetModules && message.targetModules.length) {
                object.targetModules = $Array(message.targetModules.length);
                for (let j = 0; j < message.targetModules.length; ++j)
                    object.targetModules[j] = message.targetModules[j];
            }
            return object;
        };

        /**
         * Converts this LoraSpec to JSON.
         * @function toJSON
         * @memberof narrowband.LoraSpec
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        LoraSpec.prototype.toJSON = function() {
            return LoraSpec.toObject(this, $protobuf.util.toJSONOptions);
        };

        return LoraSpec;
    })();

    narrowband.OptimizerSpec = (function() {

        /**
         * Properties of an OptimizerSpec.
         * @typedef {Object} narrowband.OptimizerSpec.$Properties
         * @property {number|null} [learningRate] OptimizerSpec learningRate
         * @property {number|null} [beta1] OptimizerSpec beta1
         * @property {number|null} [beta2] OptimizerSpec beta2
         * @property {number|null} [epsilon] OptimizerSpec epsilon
         * @property {number|null} [weightDecay] OptimizerSpec weightDecay
         * @property {number|null} [maxGradientNorm] OptimizerSpec maxGradientNorm
         * @property {narrowband.OptimizerSpec.Schedule|null} [schedule] OptimizerSpec schedule
         * @property {number|null} [warmupSteps] OptimizerSpec warmupSteps
         * @property {number|null} [finalFraction] OptimizerSpec finalFraction
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */

        /**
         * Properties of an OptimizerSpec.
         * @memberof narrowband
         * @interface IOptimizerSpec
         * @augments narrowband.OptimizerSpec.$Properties
         * @deprecated Use narrowband.OptimizerSpec.$Properties instead.
         */

        /**
         * Shape of an OptimizerSpec.
         * @typedef {narrowband.OptimizerSpec.$Properties} narrowband.OptimizerSpec.$Shape
         */

        /**
         * Constructs a new OptimizerSpec.
         * @memberof narrowband
         * @classdesc Represents an OptimizerSpec.
         * @constructor
         * @param {narrowband.OptimizerSpec.$Properties=} [properties] Properties to set
         * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
         */
        const OptimizerSpec = function (properties) {
            if (properties)
                for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                    if (properties[keys[i]] != null && keys[i] !== "__proto__")
                        this[keys[i]] = properties[keys[i]];
        };

        /**
         * OptimizerSpec learningRate.
         * @member {number} learningRate
         * @memberof narrowband.OptimizerSpec
         * @instance
         */
        OptimizerSpec.prototype.learningRate = 0;

        /**
         * OptimizerSpec beta1.
         * @member {number} beta1
         * @memberof narrowband.OptimizerSpec
         * @instance
         */
        OptimizerSpec.prototype.beta1 = 0;

        /**
         * OptimizerSpec beta2.
         * @member {number} beta2
         * @memberof narrowband.OptimizerSpec
         * @instance
         */
        OptimizerSpec.prototype.beta2 = 0;

        /**
         * OptimizerSpec epsilon.
         * @member {number} epsilon
         * @memberof narrowband.OptimizerSpec
         * @instance
         */
        OptimizerSpec.prototype.epsilon = 0;

        /**
         * OptimizerSpec weightDecay.
         * @member {number} weightDecay
         * @memberof narrowband.OptimizerSpec
         * @instance
         */
        OptimizerSpec.prototype.weightDecay = 0;

        /**
         * OptimizerSpec maxGradientNorm.
         * @member {number} maxGradientNorm
         * @memberof narrowband.OptimizerSpec
         * @instance
         */
        OptimizerSpec.prototype.maxGradientNorm = 0;

        /**
         * OptimizerSpec schedule.
         * @member {narrowband.OptimizerSpec.Schedule} schedule
         * @memberof narrowband.OptimizerSpec
         * @instance
         */
        OptimizerSpec.prototype.schedule = 0;

        /**
         * OptimizerSpec warmupSteps.
         * @member {number} warmupSteps
         * @memberof narrowband.OptimizerSpec
         * @instance
         */
        OptimizerSpec.prototype.warmupSteps = 0;

        /**
         * OptimizerSpec finalFraction.
         * @member {number} finalFraction
         * @memberof narrowband.OptimizerSpec
         * @instance
         */
        OptimizerSpec.prototype.finalFraction = 0;

        /**
         * Encodes the specified OptimizerSpec message. Does not implicitly {@link narrowband.OptimizerSpec.verify|verify} messages.
         * @function encode
         * @memberof narrowband.OptimizerSpec
         * @static
         * @param {narrowband.OptimizerSpec.$Properties} message OptimizerSpec message or plain object to encode
         * @param {$protobuf.Writer} [writer] Writer to encode to
         * @returns {$protobuf.Writer} Writer
         */
        OptimizerSpec.encode = function (message, writer, _depth) {
            if (!writer)
                writer = $Writer.create();
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            if (message.learningRate != null && $Object.hasOwnProperty.call(message, "learningRate") && !$Object.is(message.learningRate, 0))
                writer.uint32(/* id 1, wireType 1 =*/9).double(message.learningRate);
            if (message.beta1 != null && $Object.hasOwnProperty.call(message, "beta1") && !$Object.is(message.beta1, 0))
                writer.uint32(/* id 2, wireType 1 =*/17).double(message.beta1);
            if (message.beta2 != null && $Object.hasOwnProperty.call(message, "beta2") && !$Object.is(message.beta2, 0))
                writer.uint32(/* id 3, wireType 1 =*/25).double(message.beta2);
            if (message.epsilon != null && $Object.hasOwnProperty.call(message, "epsilon") && !$Object.is(message.epsilon, 0))
                writer.uint32(/* id 4, wireType 1 =*/33).double(message.epsilon);
            if (message.weightDecay != null && $Object.hasOwnProperty.call(message, "weightDecay") && !$Object.is(message.weightDecay, 0))
                writer.uint32(/* id 5, wireType 1 =*/41).double(message.weightDecay);
            if (message.maxGradientNorm != null && $Object.hasOwnProperty.call(message, "maxGradientNorm") && !$Object.is(message.maxGradientNorm, 0))
                writer.uint32(/* id 6, wireType 1 =*/49).double(message.maxGradientNorm);
            if (message.schedule != null && $Object.hasOwnProperty.call(message, "schedule") && message.schedule !== 0)
                writer.uint32(/* id 7, wireType 0 =*/56).int32(message.schedule);
            if (message.warmupSteps != null && $Object.hasOwnProperty.call(message, "warmupSteps") && message.warmupSteps !== 0)
                writer.uint32(/* id 8, wireType 0 =*/64).uint32(message.warmupSteps);
            if (message.finalFraction != null && $Object.hasOwnProperty.call(message, "finalFraction") && !$Object.is(message.finalFraction, 0))
                writer.uint32(/* id 9, wireType 1 =*/73).double(message.finalFraction);
            if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                for (let i = 0; i < message.$unknowns.length; ++i)
                    writer.raw(message.$unknowns[i]);
            return writer;
        };

        /**
         * Decodes an OptimizerSpec message from the specified reader or buffer.
         * @function decode
         * @memberof narrowband.OptimizerSpec
         * @static
         * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
         * @param {number} [length] Message length if known beforehand
         * @returns {narrowband.OptimizerSpec & narrowband.OptimizerSpec.$Shape} OptimizerSpec
         * @throws {Error} If the payload is not a reader or valid buffer
         * @throws {$protobuf.util.ProtocolError} If required fields are missing
         */
        OptimizerSpec.decode = function (reader, length, _end, _depth, _target) {
            if (!(reader instanceof $Reader))
                reader = $Reader.create(reader);
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $Reader.recursionLimit)
                throw $Error("max depth exceeded");
            let end, message, value;
            if (length === $undefined)
                end = reader.len;
            else {
                end = reader.pos + length;
                if (end > reader.len)
                    throw $RangeError("index out of range");
                length = reader.len;
                reader.len = end;
            }
            message = _target || new $root.narrowband.OptimizerSpec();
            while (reader.pos < end) {
                let start = reader.pos;
                let tag = reader.tag();
                if (tag === _end) {
                    _end = $undefined;
                    break;
                }
                let wireType = tag & 7;
                switch (tag >>>= 3) {
                case 1: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.learningRate = value;
                        else
                            delete message.learningRate;
                        continue;
                    }
                case 2: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.beta1 = value;
                        else
                            delete message.beta1;
                        continue;
                    }
                case 3: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.beta2 = value;
                        else
                            delete message.beta2;
                        continue;
                    }
                case 4: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.epsilon = value;
                        else
                            delete message.epsilon;
                        continue;
                    }
                case 5: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.weightDecay = value;
                        else
                            delete message.weightDecay;
                        continue;
                    }
                case 6: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.maxGradientNorm = value;
                        else
                            delete message.maxGradientNorm;
                        continue;
                    }
                case 7: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.int32())
                            message.schedule = value;
                        else
                            delete message.schedule;
                        continue;
                    }
                case 8: {
                        if (wireType !== 0)
                            break;
                        if (value = reader.uint32())
                            message.warmupSteps = value;
                        else
                            delete message.warmupSteps;
                        continue;
                    }
                case 9: {
                        if (wireType !== 1)
                            break;
                        if (!$Object.is(value = reader.double(), 0))
                            message.finalFraction = value;
                        else
                            delete message.finalFraction;
                        continue;
                    }
                }
                reader.skipType(wireType, _depth, tag);
                if (!reader.discardUnknown) {
                    $util.makeProp(message, "$unknowns", false);
                    (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                }
            }
            if (length !== $undefined) {
                if (reader.pos !== end)
                    throw $RangeError("index out of range");
                reader.len = length;
            }
            if (_end !== $undefined)
                throw $Error("missing end group");
            return message;
        };

        /**
         * Creates an OptimizerSpec message from a plain object. Also converts values to their respective internal types.
         * @function fromObject
         * @memberof narrowband.OptimizerSpec
         * @static
         * @param {Object.<string,*>} object Plain object
         * @returns {narrowband.OptimizerSpec} OptimizerSpec
         */
        OptimizerSpec.fromObject = function (object, _depth) {
            if (object instanceof $root.narrowband.OptimizerSpec)
                return object;
            if (!$util.isObject(object))
                throw $TypeError(".narrowband.OptimizerSpec: object expected");
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let message = new $root.narrowband.OptimizerSpec();
            if (object.learningRate != null)
                if (!$Object.is($Number(object.learningRate), 0))
                    message.learningRate = $Number(object.learningRate);
            if (object.beta1 != null)
                if (!$Object.is($Number(object.beta1), 0))
                    message.beta1 = $Number(object.beta1);
            if (object.beta2 != null)
                if (!$Object.is($Number(object.beta2), 0))
                    message.beta2 = $Number(object.beta2);
            if (object.epsilon != null)
                if (!$Object.is($Number(object.epsilon), 0))
                    message.epsilon = $Number(object.epsilon);
            if (object.weightDecay != null)
                if (!$Object.is($Number(object.weightDecay), 0))
                    message.weightDecay = $Number(object.weightDecay);
            if (object.maxGradientNorm != null)
                if (!$Object.is($Number(object.maxGradientNorm), 0))
                    message.maxGradientNorm = $Number(object.maxGradientNorm);
            if (object.schedule !== 0 && (typeof object.schedule !== "string" || $root.narrowband.OptimizerSpec.Schedule[object.schedule] !== 0))
                switch (object.schedule) {
                case "SCHEDULE_UNSPECIFIED":
                case 0:
                    message.schedule = 0;
                    break;
                case "CONSTANT":
                case 1:
                    message.schedule = 1;
                    break;
                case "LINEAR":
                case 2:
                    message.schedule = 2;
                    break;
                case "COSINE":
                case 3:
                    message.schedule = 3;
                    break;
                default:
                    if (typeof object.schedule === "number" && (object.schedule | 0) === object.schedule)
                        message.schedule = object.schedule;
                }
            if (object.warmupSteps != null)
                if ($Number(object.warmupSteps) !== 0)
                    message.warmupSteps = object.warmupSteps >>> 0;
            if (object.finalFraction != null)
                if (!$Object.is($Number(object.finalFraction), 0))
                    message.finalFraction = $Number(object.finalFraction);
            return message;
        };

        /**
         * Creates a plain object from an OptimizerSpec message. Also converts values to other types if specified.
         * @function toObject
         * @memberof narrowband.OptimizerSpec
         * @static
         * @param {narrowband.OptimizerSpec} message OptimizerSpec
         * @param {$protobuf.IConversionOptions} [options] Conversion options
         * @returns {Object.<string,*>} Plain object
         */
        OptimizerSpec.toObject = function (message, options, _depth) {
            if (!options)
                options = {};
            if (_depth === $undefined)
                _depth = 0;
            if (_depth > $util.recursionLimit)
                throw $Error("max depth exceeded");
            let object = {};
            if (options.defaults) {
                object.learningRate = 0;
                object.beta1 = 0;
                object.beta2 = 0;
                object.epsilon = 0;
                object.weightDecay = 0;
                object.maxGradientNorm = 0;
                object.schedule = options.enums === $String ? "SCHEDULE_UNSPECIFIED" : 0;
                object.warmupSteps = 0;
                object.finalFraction = 0;
            }
            if (message.learningRate != null && $Object.hasOwnProperty.call(message, "learningRate"))
                object.learningRate = options.json && !$isFinite(message.learningRate) ? $String(message.learningRate) : message.learningRate;
            if (message.beta1 != null && $Object.hasOwnProperty.call(message, "beta1"))
                object.beta1 = options.json && !$isFinite(message.beta1) ? $String(message.beta1) : message.beta1;
            if (message.beta2 != null && $Object.hasOwnProperty.call(message, "beta2"))
                object.beta2 = options.json && !$isFinite(message.beta2) ? $String(message.beta2) : message.beta2;
            if (message.epsilon != null && $Object.hasOwnProperty.call(message, "epsilon"))
                object.epsilon = options.json && !$isFinite(message.epsilon) ? $String(message.epsilon) : message.epsilon;
            if (message.weightDecay != null && $Object.hasOwnProperty.call(message, "weightDecay"))
                object.weightDecay = options.json && !$isFinite(message.weightDecay) ? $String(message.weightDecay) : message.weightDecay;
            if (message.maxGradientNorm != null && $Object.hasOwnProperty.call(message, "maxGradientNorm"))
                object.maxGradientNorm = options.json && !$isFinite(message.maxGradientNorm) ? $String(message.maxGradientNorm) : message.maxGradientNorm;
            if (message.schedule != null && $Object.hasOwnProperty.call(message, "schedule"))
                object.schedule = options.enums === $String ? $root.narrowband.OptimizerSpec.Schedule[message.schedule] === $undefined ? message.schedule : $root.narrowband.OptimizerSpec.Schedule[message.schedule] : message.schedule;
            if (message.warmupSteps != null && $Object.hasOwnProperty.call(message, "warmupSteps"))
                object.warmupSteps = message.warmupSteps;
            if (message.finalFraction != null && $Object.hasOwnProperty.call(message, "finalFraction"))
                object.finalFraction = options.json && !$isFinite(message.finalFraction) ? $String(message.finalFraction) : message.finalFraction;
            return object;
        };

        /**
         * Converts this OptimizerSpec to JSON.
         * @function toJSON
         * @memberof narrowband.OptimizerSpec
         * @instance
         * @returns {Object.<string,*>} JSON object
         */
        OptimizerSpec.prototype.toJSON = function() {
            return OptimizerSpec.toObject(this, $protobuf.util.toJSONOptions);
        };

        /**
         * Schedule enum.
         * @name narrowband.OptimizerSpec.Schedule
         * @enum {number}
         * @property {number} SCHEDULE_UNSPECIFIED=0 SCHEDULE_UNSPECIFIED value
         * @property {number} CONSTANT=1 CONSTANT value
         * @property {number} LINEAR=2 LINEAR value
         * @property {number} COSINE=3 COSINE value
         */
        OptimizerSpec.Schedule = (function() {
            const valuesById = $Object.create(null), values = $Object.create(valuesById);
            values[valuesById[0] = "SCHEDULE_UNSPECIFIED"] = 0;
            values[valuesById[1] = "CONSTANT"] = 1;
            values[valuesById[2] = "LINEAR"] = 2;
            values[valuesById[3] = "COSINE"] = 3;
            return values;
        })();

        return OptimizerSpec;
    })();

    return narrowband;
})();

export {
  $root as default
};
