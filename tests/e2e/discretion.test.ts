import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Broker, MemoryStore, logTo, type Logger, type Moment } from "@starcast/core";
import { SseGateway, Tickets, type Authorize } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";

const secrets = {
  token: "tok5ecretA",
  renewed: "tok5ecretB",
  wrong: "tok5ecretC",
  cookie: "tok5ecretD",
  payload: "pay5ecretE",
  unreadable: "pay5ecretF",
  said: "pay5ecretG",
  thrown: "tok5ecretH",
};

describe("what observers and logs are given over two gateways' whole day", () => {
  it("holds no token, ticket, cookie or payload, however deep one looks", async () => {
    const moments: Moment[] = [];
    const lines: unknown[] = [];
    const take = (...parts: readonly unknown[]): void => void lines.push(parts);
    const logger: Logger = { debug: take, info: take, warn: take };
    const everything = { level: "debug", maxPerMinute: Infinity } as const;
    const broker = new Broker({
      store: new MemoryStore({ retention: { maxEvents: 5 } }),
      drain: { spreadMs: 0, deadlineMs: 2_000 },
      observe: [
        (moment) => void moments.push(moment),
        logTo(logger, { ...everything, format: "lines" }),
        logTo(logger, { ...everything, format: "fields" }),
      ],
    });
    const tickets = new Tickets();
    const ticket = tickets.issue({ identity: "ann" });
    const authorize: Authorize = (visitor) => {
      if (visitor.token === secrets.thrown) throw new Error(`no such token: ${secrets.thrown}`);
      if (visitor.url.searchParams.has("ticket")) return tickets.redeem(visitor.url.searchParams.get("ticket"));
      const isKnown = [secrets.token, secrets.renewed].includes(visitor.token ?? "");
      return isKnown || visitor.cookie("session") === secrets.cookie
        ? { identity: "ann", expiresAt: Date.now() + 60_000 }
        : null;
    };
    const sse = new SseGateway(broker, { authorize });
    const server = createServer(sse.handle);
    const websocket = new WebSocketGateway(broker, { server, path: "/events", authorize });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
    onTestFinished(async () => {
      await broker.close();
      server.closeAllConnections();
      server.close();
    });

    const first = await broker.publish("model.added", { text: secrets.payload });
    for (let n = 0; n < 20; n += 1) await broker.publish("model.added", { text: secrets.payload });
    const unreadable = { text: secrets.unreadable, count: 1n };
    await broker.publish("model.added", unreadable).catch(() => undefined);
    await broker.publish("model.added", { text: secrets.unreadable.repeat(50_000) }).catch(() => undefined);
    // Of each transport: the header, a cookie, the wrong one, one that makes authorize throw, a ticket, and a place that is gone.
    const fields = [
      { Authorization: `Bearer ${secrets.token}`, "Last-Event-ID": first.id },
      { Authorization: `Bearer ${secrets.token}`, "Last-Event-ID": secrets.said },
      { Cookie: `session=${secrets.cookie}`, Origin: url.replace("/events", "") },
      { Authorization: `Bearer ${secrets.wrong}` },
      { Authorization: `Bearer ${secrets.thrown}` },
    ];
    for (const headers of fields) {
      const response = await fetch(url, { headers });
      if (response.status === 200) await response.body?.getReader().read();
      await speak(url, [], headers);
    }
    expect((await fetch(`${url}?ticket=${ticket}`)).status).toBe(200);
    await speak(`${url}?ticket=${tickets.issue({ identity: "ann" })}`, []);
    await speak(url, ["starcast.v1", `starcast.token.${secrets.token}`]);
    await broker.publish("model.added", { text: secrets.payload });
    sse.revoke("ann");
    websocket.revoke("ann");
    await broker.close();

    const kinds = new Set(moments.map(({ kind }) => kind));
    for (const kind of [
      "eventPublished",
      "publishRefused",
      "clientConnected",
      "clientRefused",
      "clientGapped",
      "clientClosed",
      "authorizeFailed",
    ] as const)
      expect(kinds).toContain(kind);
    const hidden = { ...secrets, ticket };
    expect(found(lines, hidden)).toEqual([]);
    // What the user's own function threw is handed on as it is, and only there; logs leave its message out.
    const ofStarcast = moments.map((moment) =>
      moment.kind === "authorizeFailed" ? { ...moment, error: null } : moment,
    );
    expect(found(ofStarcast, hidden)).toEqual([]);
  });

  it("is searched by something that finds", () => {
    const deep = { a: [new Map([["k", new Error("x", { cause: new Set([Buffer.from("-tok5ecretA-")]) })]])] };
    expect(found(deep, { token: secrets.token })).toEqual(["token"]);
  });
});

/** Connects, says what may be said and what may not, and leaves; or is refused. */
async function speak(url: string, protocols: readonly string[], headers: Record<string, string> = {}): Promise<void> {
  const socket = new WebSocket(url.replace("http", "ws"), [...protocols], { headers });
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.on("open", () => {
    socket.send(JSON.stringify({ op: "token", token: secrets.renewed }));
    socket.send(JSON.stringify({ op: "token", token: secrets.wrong }));
    socket.send(JSON.stringify({ op: secrets.said, types: [secrets.said] }));
    socket.send(JSON.stringify({ op: "subscribe", types: ["model.*"], after: secrets.said }));
    socket.send(`{${secrets.said}`);
  });
  let answers = 0;
  socket.on("message", (frame: Buffer) => {
    if (/"client\.(refused|subscribed)"/.test(frame.toString()) && (answers += 1) === 4) socket.close();
  });
  await closed;
}

/** Which of these texts are anywhere in a value: its fields, own and hidden, its entries, its bytes. */
function found(value: unknown, hidden: Readonly<Record<string, string>>): readonly string[] {
  const seen = new Set<unknown>();
  const names = new Set<string>();
  const look = (each: unknown): void => {
    if (typeof each === "string")
      for (const [name, text] of Object.entries(hidden)) if (each.includes(text)) names.add(name);
    if (typeof each !== "object" || each === null || seen.has(each)) return;
    seen.add(each);
    if (each instanceof Uint8Array) return look(Buffer.from(each).toString("latin1"));
    if (each instanceof Map) for (const entry of each) look(entry);
    if (each instanceof Set) for (const entry of each) look(entry);
    for (const key of Reflect.ownKeys(each)) {
      look(key);
      look((each as Record<PropertyKey, unknown>)[key]);
    }
  };
  look(value);
  return [...names].sort();
}
