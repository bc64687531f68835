import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packAll } from "../../scripts/pack.mjs";
import { readExamples } from "../../scripts/readme-examples.mjs";
import { NatsServer } from "../nats-server.ts";
import { findService } from "../services.ts";
import { startEmbeddedMqttBroker } from "./embedded-mqtt-broker.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/** What an install of each package may bring along from others, apart from what those bring themselves. */
const thirdParty: Record<string, readonly string[]> = {
  core: [],
  "standard-webhooks": [],
  websocket: ["ws"],
  sse: [],
  mqtt: ["mqtt"],
  webhook: ["undici"],
  client: [],
  catalog: [],
  sqlite: ["libsql"],
  nats: ["@nats-io/jetstream", "@nats-io/transport-node"],
  testing: [],
};
const siblings: Record<string, readonly string[]> = {
  core: [],
  "standard-webhooks": [],
  webhook: ["core", "standard-webhooks"],
  // Nothing it needs; its examples follow a server.
  client: ["core", "sse"],
};

const isRequired = process.env["STARCAST_REQUIRE_SERVICES"] === "1";

let tarballs: Record<string, string>;
let mqtt: { readonly url: string; close(): Promise<void> } | undefined;
let nats: NatsServer | undefined;

beforeAll(async () => {
  tarballs = packAll();
  mqtt = await startEmbeddedMqttBroker();
  const program = findService("nats-server");
  nats = program === undefined ? undefined : await NatsServer.start(program);
});
afterAll(async () => {
  await mqtt?.close();
  await nats?.close();
});

it("every package has a row here", () => {
  expect(Object.keys(thirdParty).sort()).toEqual(readdirSync(join(root, "packages")).sort());
});

describe.each(Object.keys(thirdParty))("@starcast/%s, installed alone", (name) => {
  const ours = [...(siblings[name] ?? ["core"]), name];
  const project = useProject(() => ours);

  it("brings only what it needs", () => {
    const modules = join(project.folder, "node_modules");
    expect(readdirSync(join(modules, "@starcast")).sort()).toEqual(ours.toSorted());
    const needed = Object.keys({
      ...manifestOf(name, project.folder).dependencies,
      ...manifestOf(name, project.folder).optionalDependencies,
    });
    expect(needed.filter((dependency) => !dependency.startsWith("@starcast/"))).toEqual(thirdParty[name]);
    if (thirdParty[name]?.length === 0)
      expect(readdirSync(modules).filter((entry) => !entry.startsWith("."))).toEqual(["@starcast"]);
  });

  it("carries its licence and its source, and no tests", () => {
    const files = readdirSync(join(project.folder, "node_modules/@starcast", name), {
      recursive: true,
      encoding: "utf8",
    });
    expect(files).toEqual(
      expect.arrayContaining(["LICENSE", "README.md", "dist/index.js", "dist/index.d.ts", "src/index.ts"]),
    );
    expect(files.filter((file) => /\.(test|test-d|fuzz)\.ts$/.test(file))).toEqual([]);
  });

  // Its peer, vitest, is not installed here; its examples are test files.
  if (name === "testing") return;

  it("has types that stand without ours", async () => {
    const doors = Object.keys(manifestOf(name, project.folder).exports ?? {}).filter(
      (door) => door !== "./package.json",
    );
    const lines = doors.map((door, index) => `export * as door${index} from "@starcast/${name}${door.slice(1)}";`);
    writeFileSync(join(project.folder, "types.ts"), `${lines.join("\n")}\n`);
    const typeRoots = join(dirname(createRequire(import.meta.url).resolve("@types/node/package.json")), "..");
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--lib", "es2023,dom"];
    const tsc = createRequire(join(root, "package.json")).resolve("typescript/bin/tsc");
    await run(process.execPath, [tsc, ...options, "--typeRoots", typeRoots, "--types", "node", "types.ts"], {
      cwd: project.folder,
    });
  });

  runExamples(`packages/${name}/README.md`, project);
});

describe("the project of a page, which knows nothing of Node", () => {
  const project = useProject(() => ["core", "client"]);
  const tsc = createRequire(join(root, "package.json")).resolve("typescript/bin/tsc");

  it.each([true, false])("compiles against the client, with exactOptionalPropertyTypes %s", async (isExact) => {
    const language = {
      target: "es2022",
      lib: ["es2022", "dom", "dom.iterable"],
      types: [],
      strict: true,
      noEmit: true,
    };
    const modules = { module: "esnext", moduleResolution: "bundler" };
    const compilerOptions = { ...language, ...modules, exactOptionalPropertyTypes: isExact };
    writeFileSync(join(project.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["page.ts"] }));
    writeFileSync(join(project.folder, "page.ts"), pageCode);
    const said = await run(process.execPath, [tsc], { cwd: project.folder }).catch((error: unknown) => error);
    expect(said).toMatchObject({ stdout: "" });
  });

  it("has the client in one file, where there is no bundler", async () => {
    const folder = await mkdtemp(join(tmpdir(), "starcast-page-"));
    cpSync(join(project.folder, "node_modules/@starcast/client/dist/browser.js"), join(folder, "browser.mjs"));
    const script = `import("./browser.mjs").then((all) => console.log(Object.keys(all).sort().join()))`;
    const { stdout } = await run(process.execPath, ["-e", script], { cwd: folder });
    await rm(folder, { recursive: true });
    expect(stdout.trim()).toBe("ClientError,connect,connectTabs,localStoragePositions,memoryPositions,replica");
  });
});

describe("the quick start of the front page", () => {
  const code = readExamples(readText("README.md")).map((example) => example.code);
  const imported = code.flatMap((text) =>
    [...text.matchAll(/from "@starcast\/([a-z-]+)/g)].map((match) => match[1] ?? ""),
  );
  const project = useProject(() => [...new Set(imported.flatMap((name) => [...(siblings[name] ?? ["core"]), name]))]);
  runExamples("README.md", project);
});

function runExamples(readme: string, project: { readonly folder: string }): void {
  const examples = readExamples(readText(readme));
  it.for(examples.map((example, index) => ({ ...example, title: `${readme} #${index + 1}` })))(
    "$title runs when pasted",
    async (example, { skip }) => {
      skip(example.code.includes("NATS_URL") && nats === undefined && !isRequired, "needs nats-server");
      const file = join(project.folder, "example.mjs");
      writeFileSync(file, example.code);
      const { code, stdout, stderr } = await runExample(file, example.kind === "serves");
      expect(code, stderr).toBe(0);
      if (example.output !== undefined) expect(stdout).toBe(example.output);
    },
  );
}

/** Ends with the process; one that serves is interrupted once it has said that it is up. */
async function runExample(
  file: string,
  serves: boolean,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const env = { ...process.env, MQTT_URL: mqtt?.url, NATS_URL: nats?.url, PORT: "0", NODE_OPTIONS: "" };
  const child = spawn(process.execPath, [file], {
    cwd: dirname(file),
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const first = stdout === "";
    stdout += text;
    if (first && serves) child.kill("SIGINT");
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, stdout, stderr };
}

/** An empty project of somebody else, with these packages of ours installed by npm. */
function useProject(names: () => readonly string[]): { readonly folder: string } {
  const project = { folder: "" };
  beforeAll(async () => {
    project.folder = await mkdtemp(join(tmpdir(), "starcast-packed-"));
    writeFileSync(join(project.folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const files = names().map((name) => tarballs[`@starcast/${name}`] ?? "");
    const quiet = [
      "--no-audit",
      "--no-fund",
      "--prefer-offline",
      "--ignore-scripts",
      "--legacy-peer-deps",
      "--loglevel=error",
    ];
    await run("npm", ["install", ...quiet, ...files], { cwd: project.folder, shell: process.platform === "win32" });
  });
  afterAll(async () => rm(project.folder, { recursive: true, force: true }));
  return project;
}

/** What a page does with a client: what it may leave out it may also hand on as undefined. */
const pageCode = `
import { connect, localStoragePositions, type ConnectOptions } from "@starcast/client";
import { useEvents, useReplica } from "@starcast/client/react";
import { replica } from "@starcast/client/replica";
import { connectTabs } from "@starcast/client/tabs";

type ModelEvents = { "model.set": { id: string; price: number }; "model.deleted": { id: string } };
const token: string | undefined = document.cookie || undefined;
const options: ConnectOptions<ModelEvents> = {
  url: new URL("/events", location.href),
  types: ["model.*"],
  getToken: token === undefined ? undefined : () => token,
  positions: localStoragePositions(),
  signal: AbortSignal.timeout(1_000),
  transport: undefined,
};
const client = connect<ModelEvents>(options);
client.on("model.set", ({ data }) => data.price.toFixed(2));
client.on("gap", ({ after, through }) => console.log(after, through));
client.on("state", (state) => console.log(state.kind === "closed" ? state.message : state.reason));
const models = replica<ModelEvents, { price: number }>(client, {
  load: () => ({ position: "a-1", entries: { gpt: { price: 1 } } }),
  reduce: (entries, event) => void (event.type === "model.deleted" && entries.delete(event.data.id)),
  maxHeldEvents: undefined,
});
console.log(models.get("gpt")?.price);
void client.close();
const shared = connectTabs<ModelEvents>({ url: "/events", group: undefined });
function Row(): string {
  useEvents(shared, "model.*", (event) => console.log(event.data.id));
  return String(useReplica(models).get("gpt")?.price);
}
Row();
`;

interface Manifest {
  readonly exports?: Record<string, unknown>;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

function manifestOf(name: string, folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "node_modules/@starcast", name, "package.json"), "utf8")) as Manifest;
}

function readText(path: string): string {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "";
}
