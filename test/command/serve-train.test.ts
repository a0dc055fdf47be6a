/** `narrowband serve` and `narrowband train`, over real sockets, on a model small enough to watch. */
import { EventEmitter } from "node:events";
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { LedgerSnapshot } from "../../shared/ledger/ledger.ts";
import { sumBytes } from "../../shared/ledger/ledger.ts";
import { readRunLog, runLogPath } from "../../shared/ledger/run-log-node.ts";
import {
  openModelDirectory,
  readAdapterDirectory,
  writeModelDirectory,
} from "../../shared/model/files-node.ts";
import { temporaryDirectory } from "../model/helpers.ts";
import { type Ran, run, writeRandomModel } from "./helpers.ts";

/** Text that the model does not know: the alphabet backwards, again and again. */
const TEXT = "zyxwvutsrqponmlkjihgfedcba".repeat(40);

interface World {
  readonly directory: string;
  readonly model: string;
  readonly data: string;
}

async function world(): Promise<World> {
  const directory = temporaryDirectory();
  const model = await writeRandomModel(join(directory, "model"));
  const data = join(directory, "text.txt");
  writeFileSync(data, TEXT);
  return { directory, model, data };
}

/** Two directories of the model: one holds the trunk's tensors only (block 1), the other all the rest. */
async function splitModel({ directory, model }: World): Promise<{ client: string; server: string }> {
  const { config, tensors } = await openModelDirectory(model);
  const sides = { client: join(directory, "client-model"), server: join(directory, "server-model") };
  for (const [side, path] of Object.entries(sides)) {
    const own = [...tensors.names()].filter((name) => name.includes(".layers.1.") === (side === "server"));
    expect(own.length).toBeGreaterThan(0);
    const read = own.map(async (name) => {
      const shape = await tensors.shape(name);
      return [name, { shape: [...shape], data: await tensors.read(name) }] as const;
    });
    await writeModelDirectory(path, config, new Map(await Promise.all(read)));
    for (const file of ["tokenizer.json", "tokenizer_config.json"])
      copyFileSync(join(model, file), join(path, file));
  }
  await tensors.close();
  return sides;
}

interface Running {
  readonly ended: Promise<Ran>;
  /** The address that clients connect to. */
  readonly url: Promise<string>;
  /** Resolves when this step has been reported. */
  step(n: number): Promise<void>;
  interrupt(): void;
}

/** Starts a command with --json and follows its events. */
function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const signals = new EventEmitter();
  const events = new EventEmitter();
  let rest = "";
  const onStdout = (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = JSON.parse(line) as Record<string, unknown>;
      if (event.event === "listening") events.emit("url", event.ws);
      if (event.event === "step") events.emit(`step ${event.step}`);
    }
  };
  const listening = new Promise<string>((resolve) => events.once("url", resolve));
  const flags = [...args, "--json", "--threads", "1", "--log-level", "silent"];
  const ended = run(flags, { env, signals, onStdout });
  const gone = ended.then(({ stderr }) => {
    throw new Error(`it ended before it listened: ${stderr}`);
  });
  const url = Promise.race([listening, gone]);
  // Clients have no address to wait for.
  url.catch(() => {});
  return {
    ended,
    url,
    step: (n) => new Promise((resolve) => events.once(`step ${n}`, resolve)),
    interrupt: () => signals.emit("SIGINT"),
  };
}

const SMALL = ["--steps", "6", "--rank", "2", "--max-row-tokens", "64", "--learning-rate", "0.02"];

function serve({ model, directory }: World, ...flags: string[]): Running {
  return start([
    "serve",
    "--model",
    model,
    "--port",
    "0",
    "--out",
    join(directory, "server"),
    ...SMALL,
    ...flags,
  ]);
}

function train(w: World, url: string, name: string, ...flags: string[]): Running {
  const files = ["--model", w.model, "--data", w.data, "--out", join(w.directory, name)];
  return start(["train", url, ...files, "--name", name, "--rows", "2", "--length", "32", ...flags]);
}

function result(ran: Ran): Record<string, unknown> & { ledger: LedgerSnapshot } {
  return ran.json().at(-1) as Record<string, unknown> & { ledger: LedgerSnapshot };
}

function total({ ledger }: { ledger: LedgerSnapshot }): number {
  return sumBytes(ledger.up) + sumBytes(ledger.down);
}

describe("serve and train", () => {
  it("take a job to its end, count the same bytes, and leave the parts of one adapter", async () => {
    const w = await world();
    const server = serve(w, "--min-clients", "2", "--quorum", "2");
    const url = await server.url;
    const clients = ["alice", "bob"].map((name) => train(w, url, name, "--seed", name === "bob" ? "1" : "0"));
    const [served, ...trained] = await Promise.all([server.ended, ...clients.map(({ ended }) => ended)]);
    for (const ran of [served, ...trained]) expect(ran.exit, ran.stderr).toBe(0);

    const steps = trained[0].json().filter(({ event }) => event === "step");
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(steps[0]).toMatchObject({ bits: { A1: 8, G2: 8 }, tokens: 64 });
    expect((steps[5].bits as { A1: number }).A1).toBeCloseTo(3, 1);
    // What the server counted is what the clients counted, together.
    expect(total(result(served))).toBe(total(result(trained[0])) + total(result(trained[1])));
    const members = served.json().filter(({ event }) => event === "step")[5].members as { name: string }[];
    expect(members.map(({ name }) => name).sort()).toEqual(["alice", "bob"]);

    for (const [name, ran] of [["server", served] as const, ["alice", trained[0]] as const]) {
      const log = readRunLog(runLogPath(join(w.directory, name)));
      expect(log).toMatchObject({ job: "default", writer: name, torn: false });
      const told = ran.json().filter(({ event }) => event === "step");
      expect(log.records.map(({ step }) => step + 1)).toEqual(told.map(({ step }) => step));
      for (const [i, { lossSum, supervisedTokens, up, down }] of log.records.entries()) {
        expect(lossSum / supervisedTokens).toBeCloseTo(Number(told[i].loss), 12);
        expect(sumBytes(up) + sumBytes(down)).toBe(told[i].bytes);
      }
    }
    const described = await run(["inspect", runLogPath(join(w.directory, "alice")), "--json"]);
    expect(described.json()[0]).toMatchObject({ kind: "runLog", writer: "alice", steps: 6, lastStep: 6 });

    expect((await readAdapterDirectory(join(w.directory, "alice"))).layers).toEqual([0, 2]);
    expect((await readAdapterDirectory(join(w.directory, "server"))).layers).toEqual([1]);
    const parts = ["alice", "server"].flatMap((name) => ["--adapter", join(w.directory, name)]);
    const evaluate = ["eval", "--model", w.model, "--data", w.data, "--json", "--threads", "1"];
    const [base] = (await run(evaluate)).json();
    const [tuned] = (await run([...evaluate, ...parts])).json();
    expect(Number(tuned.loss)).toBeLessThan(Number(base.loss) - 0.05);
  });

  it("need no tensor of the other side's: each from a directory without them, to the same adapters", async () => {
    const w = await world();
    const adapters: Buffer[][] = [];
    const parts = await splitModel(w);
    for (const [mine, theirs] of [[w.model, w.model] as const, [parts.client, parts.server] as const]) {
      const server = serve({ ...w, model: theirs });
      const client = train({ ...w, model: mine }, await server.url, "alice");
      const [served, trained] = await Promise.all([server.ended, client.ended]);
      expect([served.exit, trained.exit], served.stderr + trained.stderr).toEqual([0, 0]);
      const file = (name: string) => readFileSync(join(w.directory, name, "adapter_model.safetensors"));
      adapters.push(["server", "alice"].map(file));
    }
    expect(adapters[0][0].equals(adapters[1][0])).toBe(true);
    expect(adapters[0][1].equals(adapters[1][1])).toBe(true);
    const swapped = await serve({ ...w, model: parts.client }).ended;
    expect(swapped.json().at(-1)).toMatchObject({ code: "NB_TENSOR_MISSING" });
  });

  it("train with labels on the server in a vanilla split", async () => {
    const w = await world();
    const server = serve(w, "--split", "vanilla");
    const client = train(w, await server.url, "alice");
    const [served, trained] = await Promise.all([server.ended, client.ended]);
    expect([served.exit, trained.exit], served.stderr + trained.stderr).toEqual([0, 0]);
    expect((await readAdapterDirectory(join(w.directory, "alice"))).layers).toEqual([0]);
    expect((await readAdapterDirectory(join(w.directory, "server"))).layers).toEqual([1, 2]);
  });
});

describe("Ctrl-C", () => {
  it("on a client saves its adapter and a checkpoint, and the server goes on waiting", async () => {
    const w = await world();
    const server = serve(w, "--steps", "1000");
    const client = train(w, await server.url, "alice");
    await client.step(3);
    client.interrupt();
    const trained = await client.ended;
    expect(trained.exit).toBe(130);
    expect(trained.json().at(-1)).toMatchObject({ event: "error", code: "NB_INTERRUPTED" });
    const directory = join(w.directory, "alice");
    expect(existsSync(join(directory, "adapter_model.safetensors"))).toBe(true);
    const [facts] = (await run(["inspect", join(directory, "checkpoints"), "--json"])).json();
    expect(facts).toMatchObject({ kind: "checkpoint", of: "client" });
    const described = await run(["inspect", join(directory, "checkpoints")]);
    expect(described.stdout).toMatch(/client "alice" of job "default", run \S+: \d+ steps taken/);
    const logs = readdirSync(join(directory, "checkpoints")).filter((name) => name.endsWith(".nbredo"));
    const log = await run(["inspect", join(directory, "checkpoints", logs[0])]);
    expect(log.stdout).toContain("G1 of step 1.0, micro-batch 0");
    expect(log.stdout).toContain("commit of step 1.0");
    server.interrupt();
    expect((await server.ended).exit).toBe(130);
  });

  it("on the server ends the job for all, and both sides go on to what an unbroken run gives, bit for bit", async () => {
    const w = await world();
    const codecs = ["--activations", "amaq:8-3@8", "--gradients", "amaq:8-3@8", "--steps", "12"];
    const whole = serve(w, ...codecs);
    const alone = train(w, await whole.url, "alice");
    expect([(await whole.ended).exit, (await alone.ended).exit]).toEqual([0, 0]);
    const bytes = (name: string) => readFileSync(join(w.directory, name, "adapter_model.safetensors"));
    const expected = [bytes("server"), bytes("alice")];

    const first = serve(w, ...codecs);
    const client = train(w, await first.url, "alice");
    await first.step(5);
    first.interrupt();
    const stopped = [await first.ended, await client.ended];
    expect(stopped.map(({ exit }) => exit)).toEqual([130, 3]);
    expect(stopped[1].json().at(-1)).toMatchObject({ code: "NB_JOB_STOPPED" });
    expect(bytes("alice")).not.toEqual(expected[1]);

    const second = serve(w, ...codecs, "--resume");
    const again = train(w, await second.url, "alice", "--resume");
    const [served, trained] = [await second.ended, await again.ended];
    expect([served.exit, trained.exit], served.stderr + trained.stderr).toEqual([0, 0]);
    const steps = trained.json().filter(({ event }) => event === "step");
    expect(steps[0].step).toBeGreaterThanOrEqual(6);
    expect(steps.at(-1)?.step).toBe(12);
    expect(bytes("server").equals(expected[0])).toBe(true);
    expect(bytes("alice").equals(expected[1])).toBe(true);
    for (const name of ["server", "alice"]) {
      const { records } = readRunLog(runLogPath(join(w.directory, name)));
      expect(records.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    }
  });
});

describe("--resume", () => {
  it("needs a run, of this job, that is not completed", async () => {
    const w = await world();
    const nothing = await serve(w, "--resume").ended;
    expect(nothing.json().at(-1)).toMatchObject({ code: "NB_FILE_UNREADABLE", exit: 2 });

    const server = serve(w);
    const client = train(w, await server.url, "alice");
    await Promise.all([server.ended, client.ended]);
    expect((await serve(w, "--resume").ended).json().at(-1)).toMatchObject({ code: "NB_CONFIG_INVALID" });
    expect((await serve(w, "--resume", "--seed", "5").ended).json().at(-1)).toMatchObject({
      code: "NB_CHECKPOINT_MISMATCH",
    });

    // A client whose run was completed has nothing left to ask.
    const done = await train(w, "ws://127.0.0.1:1", "alice", "--resume").ended;
    expect(done.json().at(-1)).toMatchObject({ outcome: "completed", steps: 6 });
  });

  it("does not take a run into a job that does not know it", async () => {
    const w = await world();
    const first = serve(w, "--steps", "1000");
    const client = train(w, await first.url, "alice");
    await client.step(2);
    client.interrupt();
    expect((await client.ended).exit).toBe(130);
    first.interrupt();
    await first.ended;
    // A new job of the same settings.
    const fresh = serve({ ...w, directory: join(w.directory, "other") }, "--steps", "1000");
    const stale = await train(w, await fresh.url, "alice", "--resume").ended;
    expect(stale.json().at(-1)).toMatchObject({ code: "NB_SESSION_MISMATCH" });
    fresh.interrupt();
    await fresh.ended;
  });
});

describe("a client that may not take part", () => {
  it("is told so: by its token", async () => {
    const w = await world();
    const tokens = join(w.directory, "tokens.json");
    const added = await run(["token", "create", "--tokens", tokens, "--holder", "alice"]);
    expect(added.exit, added.stderr).toBe(0);
    const token = added.stdout.trim();

    const server = serve(w, "--tokens", tokens, "--steps", "2");
    const url = await server.url;
    const refused = await train(w, url, "mallory").ended;
    expect(refused.json().at(-1)).toMatchObject({ code: "NB_AUTH_REFUSED", exit: 3 });
    const files = ["--model", w.model, "--data", w.data, "--out", join(w.directory, "alice")];
    const allowed = start(["train", url, ...files, "--name", "alice", "--rows", "1", "--length", "16"], {
      NARROWBAND_TOKEN: token,
    });
    expect((await allowed.ended).exit).toBe(0);
    expect((await server.ended).exit).toBe(0);
  });

  it("by the name of the job, by its model, by the size of its batch", async () => {
    const w = await world();
    const server = serve(w, "--max-rows", "4");
    const url = await server.url;
    expect((await train(w, url, "alice", "--job", "nowhere").ended).json().at(-1)).toMatchObject({
      code: "NB_JOB_UNKNOWN",
    });
    const other = await writeRandomModel(join(w.directory, "other-model"));
    const config = join(other, "config.json");
    writeFileSync(
      config,
      JSON.stringify({ ...JSON.parse(readFileSync(config, "utf8")), rms_norm_eps: 1e-5 }),
    );
    expect((await train({ ...w, model: other }, url, "alice").ended).json().at(-1)).toMatchObject({
      code: "NB_MODEL_MISMATCH",
    });
    expect((await train(w, url, "alice", "--rows", "8").ended).json().at(-1)).toMatchObject({
      code: "NB_CONFIG_INVALID",
    });
    server.interrupt();
    await server.ended;
  });

  it("or by the address, when nobody is there", async () => {
    const w = await world();
    expect((await train(w, "http://127.0.0.1:1", "alice").ended).json().at(-1)).toMatchObject({
      code: "NB_CONFIG_INVALID",
      exit: 2,
    });
  });
});

describe("serve with a certificate", () => {
  it("is reached over TLS by clients that trust it, and by no others", async () => {
    const w = await world();
    const fixture = (name: string) => fileURLToPath(new URL(`../server/fixtures/${name}`, import.meta.url));
    const server = serve(
      w,
      "--tls-cert",
      fixture("localhost-cert.pem"),
      "--tls-key",
      fixture("localhost-key.pem"),
      "--steps",
      "2",
    );
    const url = await server.url;
    expect(url).toMatch(/^wss:/);
    expect((await train(w, url, "alice").ended).json().at(-1)).toMatchObject({ code: "NB_TLS_UNTRUSTED" });
    const trusted = await train(w, url, "alice", "--tls-ca", fixture("localhost-cert.pem")).ended;
    expect(trusted.exit, trusted.stderr).toBe(0);
    expect((await server.ended).exit).toBe(0);
  });

  it("needs the key too", async () => {
    const w = await world();
    const { exit, stderr } = await serve(w, "--tls-cert", "cert.pem").ended;
    expect(exit).toBe(2);
    expect(stderr).toContain("--tls-cert and --tls-key together");
  });
});
