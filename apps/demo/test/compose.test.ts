import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

interface Service {
  readonly image: string;
  readonly command?: string | readonly string[];
  readonly depends_on?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
}

/** Parsed as compose does: YAML 1.2 with merge keys, and nothing said twice. */
const document = parseDocument(read("../docker-compose.yml"), { merge: true, uniqueKeys: true, strict: true });
const compose = document.toJS() as {
  readonly services: Readonly<Record<string, Service>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const services = Object.entries(compose.services);

// There is no Docker to try it with: what can be known without one is.
describe("docker-compose.yml", () => {
  it("is YAML without errors or warnings, and has no member that compose does not know", () => {
    expect([...document.errors, ...document.warnings]).toEqual([]);
    const known = ["name", "services", "configs", "volumes"];
    expect(Object.keys(compose).filter((key) => !known.includes(key) && !key.startsWith("x-"))).toEqual([]);
    for (const [, service] of services)
      expect(Object.keys(service).filter((key) => !serviceMembers.has(key))).toEqual([]);
  });

  it("names a version of every image, and publishes to this machine only", () => {
    for (const [, { image, ports = [] }] of services) {
      expect(image).toMatch(/^[a-z]+:[0-9][a-z0-9.-]*$/);
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
  });

  it("refers to nothing that is not there", () => {
    const names = Object.keys(compose.services);
    for (const [, { depends_on = [], configs = [], volumes = [], command, environment = {} }] of services) {
      expect(names).toEqual(expect.arrayContaining([...depends_on]));
      expect(Object.keys(compose.configs)).toEqual(expect.arrayContaining(configs.map(({ source }) => source)));
      for (const source of volumes.map((volume) => volume.split(":")[0] ?? "")) {
        if (source.startsWith("."))
          expect(existsSync(fileURLToPath(new URL(`../${source}`, import.meta.url)))).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
      const text = JSON.stringify([command, environment]);
      for (const [, host] of text.matchAll(/nats:\/\/([a-z0-9-]+\b)/g)) if (host !== "0") expect(names).toContain(host);
      for (const [path] of text.matchAll(/apps\/demo\/src\/[a-z/-]+\.ts/g))
        expect(existsSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)))).toBe(true);
    }
  });

  it("sets nginx up as docs/scaling.md does", () => {
    const block = /```nginx\n([^`]*)```/.exec(read("../../../docs/scaling.md"))?.[1] ?? "";
    const settings = (text: string): readonly string[] =>
      text
        .split("\n")
        .map((line) => line.trim().replace(/^server \S+ /, "server HOST "))
        .filter((line) => line !== "" && !line.startsWith("#"));
    expect(settings(compose.configs["balancer"]?.content.replaceAll("$$", "$") ?? "")).toEqual(settings(block));
  });
});

const serviceMembers: ReadonlySet<string> = new Set([
  "image",
  "restart",
  "working_dir",
  "volumes",
  "command",
  "stop_grace_period",
  "depends_on",
  "environment",
  "ports",
  "configs",
]);
