import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fromFile, fromStarmap, fromUrl } from "@starcast/catalog";
import type { CatalogSource, Model, SourceAnswer } from "@starcast/catalog";
import { afterEach, describe, expect, it } from "vitest";
import { model } from "./lives.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const ask = (source: CatalogSource<Model>, known: string | null = null): Promise<SourceAnswer<Model>> =>
  Promise.resolve(source({ known, signal: AbortSignal.timeout(10_000) }));

describe("a catalog from a URL", () => {
  it("is asked for with the ETag of the known version, and not read again when it is still that", async () => {
    const seen: IncomingMessage["headers"][] = [];
    const url: string = await serve((request, response) => {
      seen.push(request.headers);
      if (request.headers["if-none-match"] === '"v1"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"v1"' }).end(JSON.stringify([model("a/a")]));
    });
    const source = fromUrl<Model>(url, { headers: () => ({ "x-api-key": "k" }) });
    expect(await ask(source)).toEqual({ kind: "catalog", entries: [model("a/a")], version: '"v1"' });
    expect(await ask(source, '"v1"')).toEqual({ kind: "unchanged" });
    expect(seen.map((headers) => [headers["if-none-match"], headers["x-api-key"]])).toEqual([
      [undefined, "k"],
      ['"v1"', "k"],
    ]);
  });

  it("is read through `read`, and has no version without an ETag", async () => {
    const url = await serve((_, response) => void response.end(JSON.stringify({ items: [model("a/a")] })));
    const source = fromUrl(url, { read: (document) => (document as { items: Model[] }).items });
    expect(await ask(source)).toEqual({ kind: "catalog", entries: [model("a/a")], version: null });
  });

  const refused: readonly [what: string, answer: Answer, code: string, message: RegExp][] = [
    ["is not there", (_, response) => response.writeHead(404).end("no"), "source_failed", /404/],
    ["refuses us", (_, response) => response.writeHead(403).end(), "not_authorized", /403/],
    ["redirects", (_, response) => response.writeHead(302, { location: "/other" }).end(), "source_failed", /302/],
    ["says not modified unasked", (_, response) => response.writeHead(304).end(), "source_failed", /304/],
    ["is no JSON", (_, response) => response.end("[{"), "source_failed", /JSON in UTF-8/],
    ["is no UTF-8", (_, response) => response.end(Buffer.from([0x22, 0xff, 0x22])), "source_failed", /JSON in UTF-8/],
    ["announces too much", (_, response) => announce(response, 5_000), "source_failed", /maxBodyBytes/],
    ["streams too much", (_, response) => stream(response, 900, 900), "source_failed", /maxBodyBytes/],
    ["is a bomb", (_, response) => bomb(response, 1_000_000), "source_failed", /maxBodyBytes/],
  ];
  it.each(refused)("that %s is refused", async (_, answer, code, message) => {
    const url = await serve(answer);
    await expect(ask(fromUrl<Model>(url, { maxBodyBytes: 1_000 }))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it("ends with its signal while the body is under way", async () => {
    const url = await serve((_, response) => void response.write("["));
    await expect(fromUrl<Model>(url)({ known: null, signal: AbortSignal.timeout(50) })).rejects.toThrow();
  });

  it.each(["ftp://example.com/x", "https://user:secret@example.com/", "nonsense", undefined as never])(
    "refuses %s as a URL without repeating it",
    (url) => {
      expect(() => fromUrl(url)).toThrow(/`url` to be an http or https URL/);
      expect(() => fromUrl(url)).not.toThrow(/secret|nonsense/);
    },
  );
});

describe("a catalog from a file", () => {
  it.each(["", undefined, 7])("is refused for what is no path: %j", (path) => {
    expect(() => fromFile(path as never)).toThrow(/`path` to be the path of a JSON file/);
  });

  it("is read when its content changed", async () => {
    const path = await file(JSON.stringify([model("a/a")]));
    const source = fromFile<Model>(path);
    const first = await ask(source);
    expect(first).toMatchObject({ entries: [model("a/a")], version: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
    const { version } = first as { version: string };
    expect(await ask(source, version)).toEqual({ kind: "unchanged" });
    await writeFile(path, JSON.stringify([model("a/b")]));
    expect(await ask(source, version)).toMatchObject({ entries: [model("a/b")] });
  });

  it("that is half-written, too large or gone is refused", async () => {
    await expect(ask(fromFile<Model>(await file("[{")))).rejects.toMatchObject({ code: "source_failed" });
    await expect(ask(fromFile<Model>(await file(" ".repeat(100)), { maxBodyBytes: 99 }))).rejects.toThrow(
      /maxBodyBytes/,
    );
    await expect(ask(fromFile<Model>(join(tmpdir(), "starcast-there-is-no-such-file")))).rejects.toThrow();
  });
});

describe("a catalog from a Starmap server", () => {
  const payload = JSON.stringify({
    schema_version: 1,
    provider_models: { openai: [{ id: "gpt", name: "GPT" }], "a~b": [{ id: "x/y" }] },
  });
  const good = {
    generation_id: "g 2/x",
    generated_at: "2026-08-22T10:00:00+02:00",
    payload: { checksum: `sha256:${sha256(payload)}`, size_bytes: payload.length },
  };

  it("is read when the manifest names a newer generation, and verified against it", async () => {
    const { source, paths } = await starmap(good, payload);
    const answer = await ask(source);
    expect(answer).toEqual({
      kind: "catalog",
      entries: [
        { provider: "openai", id: "gpt", name: "GPT" },
        { provider: "a~b", id: "x/y" },
      ],
      version: "2026-08-22T08:00:00.000Z g 2/x",
    });
    expect(paths).toEqual(["/api/v1/catalog/manifest", "/api/v1/catalog/generations/g%202%2Fx/payload"]);
    expect(await ask(source, "2026-08-22T08:00:00.000Z g 2/x")).toEqual({ kind: "unchanged" });
    expect(await ask(source, "2026-08-21T08:00:00.000Z g 1")).toMatchObject({ kind: "catalog" });
  });

  it("never goes back to an older generation", async () => {
    const { source, paths } = await starmap(good, payload);
    expect(await ask(source, "2026-08-22T08:00:01.000Z g 3")).toEqual({ kind: "unchanged" });
    expect(paths).toEqual(["/api/v1/catalog/manifest"]);
  });

  it.each([
    [
      "another checksum",
      { ...good, payload: { ...good.payload, checksum: `sha256:${"0".repeat(64)}` } },
      payload,
      /checksum of its manifest/,
    ],
    ["fewer bytes", good, payload.slice(0, -1), /bytes as its manifest says/],
    ["more bytes", good, `${payload} `, /maxBodyBytes/],
    ["a manifest of no generation", { ...good, generation_id: "" }, payload, /`generation_id` to be text/],
    ["a manifest of no time", { ...good, generated_at: "yesterday" }, payload, /`generated_at` to be a time/],
    [
      "a manifest of a huge payload",
      { ...good, payload: { ...good.payload, size_bytes: 1e9 } },
      payload,
      /maxBodyBytes/,
    ],
    ["a payload without providers", ...payloadOf("{}"), /`provider_models` to be an object/],
    ["a model without an id", ...payloadOf('{"provider_models":{"a":[{}]}}'), /`id` of a model/],
  ])("with %s is refused", async (_, manifest, body, message) => {
    const { source } = await starmap(manifest, body);
    await expect(ask(source)).rejects.toThrow(message);
  });

  function payloadOf(body: string): [object, string] {
    return [{ ...good, payload: { checksum: `sha256:${sha256(body)}`, size_bytes: body.length } }, body];
  }
});

function announce(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { "content-length": bytes }).end("x".repeat(bytes));
}

function stream(response: ServerResponse, ...sizes: readonly number[]): void {
  for (const size of sizes) response.write("[".repeat(size));
  response.end();
}

function bomb(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("0".repeat(bytes)));
}

async function starmap(
  manifest: object,
  payload: string,
): Promise<{ readonly source: CatalogSource<Model>; readonly paths: string[] }> {
  const paths: string[] = [];
  const url = await serve((request, response) => {
    paths.push(request.url ?? "");
    response.end(request.url?.endsWith("/catalog/manifest") === true ? JSON.stringify(manifest) : payload);
  });
  return { source: fromStarmap(`${url}api/v1/`), paths };
}

async function serve(handle: Answer): Promise<string> {
  const server: Server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function file(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "starcast-"));
  closing.push(() => rm(folder, { recursive: true }));
  const path = join(folder, "catalog.json");
  await writeFile(path, content);
  return path;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
