import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { WebSocket } from "ws";
import { Broker } from "@starcast/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { serveRooms } from "./migrating/live.ts";

describe("docs/migrating.md", () => {
  it("shows live.ts as it is run here", () => {
    const guide = readFileSync(new URL("../../docs/migrating.md", import.meta.url), "utf8");
    const code = readFileSync(new URL("migrating/live.ts", import.meta.url), "utf8");
    expect(guide).toContain(`\`\`\`ts\n${code}\`\`\``);
  });

  it("gives a room's events to those in it, over both transports, and to nobody else", async () => {
    const { broker, server } = serveRooms((token) => (token === "ann" ? ["openai"] : null));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/events`;
    onTestFinished(async () => {
      await broker.close();
      server.closeAllConnections();
      server.close();
    });

    const { id: start } = await broker.publish("model.added", { n: 0 }, { subject: "openai/m0" });
    await broker.publish("model.added", { n: 1 }, { subject: "acme/m1" });
    const { id: wanted } = await broker.publish("model.added", { n: 2 }, { subject: "openai/m2" });

    const headers = { Authorization: "Bearer ann" };
    expect(await firstEvent(`${url}?after=${start}`, headers)).toBe(wanted);
    const socket = new WebSocket(`${url.replace("http", "ws")}?after=${start}`, { headers });
    onTestFinished(() => socket.terminate());
    const got: unknown = await new Promise((resolve) =>
      socket.on("message", (frame: Buffer) => {
        const { id } = JSON.parse(frame.toString()) as { id?: string };
        if (id !== undefined) resolve(id);
      }),
    );
    expect(got).toBe(wanted);
    expect((await fetch(url, { headers: { Authorization: "Bearer bob" } })).status).toBe(401);
  });

  it("has a listener that is awaited, whose error does not reach the publisher", async () => {
    const broker = new Broker({ observe: [] });
    onTestFinished(() => broker.close());
    const heard = new Promise((resolve) => broker.subscribe(({ data }) => resolve(data), { types: ["model.*"] }));
    broker.subscribe(() => Promise.reject(new Error("of one listener")));
    await broker.publish("model.added", { id: "m1" });
    expect(await heard).toEqual({ id: "m1" });
  });
});

async function firstEvent(url: string, headers: Record<string, string>): Promise<string | undefined> {
  const away = new AbortController();
  const { body } = await fetch(url, { headers, signal: away.signal });
  let text = "";
  for await (const piece of (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    text += piece;
    const found = /^id: (.+)\nevent: model\.added$/m.exec(text);
    if (found !== null) return found[1];
  }
  return undefined;
}
