import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { realSurroundings } from "@starcast/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { dial, type Dial, type DialTarget } from "../../src/guarded-connect.ts";
import { HttpSender, type HttpSenderSettings } from "../../src/http-sender.ts";
import { parseNetwork } from "../../src/ip-address.ts";
import { dnsLookup, type NameLookup } from "../../src/name-lookup.ts";
import type { Answer } from "../../src/outcome.ts";
import { authority, expiredCertificate, goodCertificate, serverKey } from "../certificates.ts";
import { dnsServer, type DnsAnswer } from "../loopback-dns.ts";
import { listen, receiver } from "../loopback.ts";
import { timed } from "../timed.ts";

// What these tests call public are real public addresses: every dial is injected, and goes to loopback or nowhere.
const publicV4 = "93.184.216.34";
const publicV6 = "2606:4700::6810:84e5";
const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

function sender(settings: Partial<HttpSenderSettings> & Pick<HttpSenderSettings, "lookup" | "dial">): HttpSender {
  const made = new HttpSender({
    clock: realSurroundings.clock,
    scheduler: realSurroundings.scheduler,
    connectTimeoutMs: 2_000,
    deadlineMs: 3_000,
    ca: [authority],
    allowedNetworks: [],
    maxAnswerHeadBytes: 16_384,
    maxAnswerBytes: 16_384,
    keptAnswerBytes: 4_096,
    maxEndpoints: 10,
    ...settings,
  });
  open.push({ [Symbol.asyncDispose]: () => made.close() });
  return made;
}

function send(by: HttpSender, url: string, options: { isUnlocked?: boolean } = {}): Promise<Answer> {
  const request = { endpointId: "partner", connections: 1, headers: [], body: Buffer.from("{}") };
  return by.send({ ...request, ...target(url), isUnlocked: options.isUnlocked ?? false });
}

function target(url: string): { origin: string; path: string } {
  const { origin, pathname, search } = new URL(url);
  return { origin, path: pathname + search };
}

const answering =
  (...addresses: string[]): NameLookup =>
  () =>
    Promise.resolve(addresses);

/** Dials a loopback port whatever it is asked for; its socket says it reached `peer`. */
function rerouted(port: number, peer: string): { dial: Dial; targets: DialTarget[] } {
  const targets: DialTarget[] = [];
  return {
    targets,
    dial: (target) => {
      targets.push(target);
      const socket =
        target.tls === null ? connect(port, "127.0.0.1") : dial({ ...target, addresses: ["127.0.0.1"], port });
      Object.defineProperty(socket, "remoteAddress", { value: peer });
      return socket;
    },
  };
}

const neverDial: Dial = () => {
  throw new Error("dialled");
};

describe("a name", () => {
  it("is dialled at exactly the addresses that were judged", async () => {
    const to = await receiver();
    open.push(to);
    const { dial: rerouting, targets } = rerouted(to.port, publicV4);
    const answer = await send(
      sender({ lookup: answering(publicV4, publicV6), dial: rerouting }),
      "http://hooks.partner.com/in",
    );
    expect(answer).toMatchObject({ kind: "answered", status: 204 });
    expect(targets).toEqual([{ host: "hooks.partner.com", addresses: [publicV4, publicV6], port: 80, tls: null }]);
    expect(to.received[0]?.headers.host).toBe("hooks.partner.com");
  });

  it.each([
    ["loopback", ["127.0.0.1"]],
    ["metadata", ["169.254.169.254"]],
    ["loopback of IPv6", ["::1"]],
    ["mapped loopback", ["::ffff:127.0.0.1"]],
    ["an address of one link", ["fe80::1%eth0"]],
    ["what is no address", ["93.184.216.34.", publicV4]],
    ["one bad answer among good ones", [publicV4, publicV6, "10.0.0.1"]],
    ["one bad answer before good ones", ["0.0.0.0", publicV4]],
  ])("that leads to %s is never dialled", async (_, addresses) => {
    const answer = await send(
      sender({ lookup: answering(...addresses), dial: neverDial }),
      "https://hooks.partner.com/",
    );
    expect(answer).toEqual({ kind: "failed", category: "address_refused" });
  });

  it("without an address fails as that", async () => {
    const answer = await send(sender({ lookup: answering(), dial: neverDial }), "https://hooks.partner.com/");
    expect(answer).toEqual({ kind: "failed", category: "dns_failed" });
  });

  it("in an unlocked network is dialled, its neighbour is not", async () => {
    const to = await receiver();
    open.push(to);
    const network = parseNetwork("10.1.0.0/16");
    if (network === null) throw new Error("unparsed");
    const allowed = { dial: rerouted(to.port, "10.1.2.3").dial, allowedNetworks: [network] };
    expect(
      await send(sender({ ...allowed, lookup: answering("10.1.2.3") }), "http://hooks.partner.com/"),
    ).toMatchObject({ status: 204 });
    expect(
      await send(sender({ ...allowed, lookup: answering("10.2.2.3") }), "http://hooks.partner.com/"),
    ).toMatchObject({ category: "address_refused" });
  });

  it("localhost of an unlocked origin needs no look-up", async () => {
    const to = await receiver();
    open.push(to);
    const lookup: NameLookup = () => Promise.reject(new Error("asked"));
    expect(await send(sender({ lookup, dial }), `http://localhost:${to.port}/`, { isUnlocked: true })).toMatchObject({
      status: 204,
    });
  });
});

describe("an address literal", () => {
  it.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://[::1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[fd00:ec2::254]/",
    "http://127.0.0.1./",
    "http://0/",
    "http://[::]/",
  ])("%s is refused without a look-up and never dialled", async (url) => {
    const lookup: NameLookup = () => Promise.reject(new Error("asked"));
    expect(await send(sender({ lookup, dial: neverDial }), url)).toEqual({
      kind: "failed",
      category: "address_refused",
    });
  });
});

describe("the peer", () => {
  it.each(["127.0.0.1", "10.0.0.1", "::ffff:169.254.169.254", "fe80::1%eth0", "::1", "", undefined])(
    "at %s is cut off before a byte is sent, whatever was dialled",
    async (peer) => {
      const to = await receiver();
      open.push(to);
      const { dial: rerouting } = rerouted(to.port, peer as string);
      const answer = await send(sender({ lookup: answering(publicV4), dial: rerouting }), "http://hooks.partner.com/");
      expect(answer).toEqual({ kind: "failed", category: "address_refused" });
      expect(to.received).toHaveLength(0);
    },
  );
});

describe("the DNS", () => {
  it("that never answers costs one connect deadline, however many ask, and holds up nobody else", async () => {
    const silent = await dnsServer(() => "silence");
    const to = await receiver();
    open.push(silent, to);
    const lookup: NameLookup = (name, signal) =>
      name === "fine.partner.com" ? Promise.resolve([publicV4]) : dnsLookup([silent.address])(name, signal);
    const by = sender({ lookup, dial: rerouted(to.port, publicV4).dial, connectTimeoutMs: 300 });
    let ended = 0;
    const hanging = Array.from({ length: 20 }, (_, index) =>
      by.send({
        endpointId: `e${index}`,
        ...target(`http://n${index}.partner.com/`),
        isUnlocked: false,
        connections: 1,
        headers: [],
        body: Buffer.from("{}"),
      }),
    );
    for (const each of hanging) void each.then(() => (ended += 1));
    const all = timed(Promise.all(hanging), 300);
    expect(await send(by, "http://fine.partner.com/")).toMatchObject({ status: 204 });
    expect(ended).toBe(0);
    const { answer: answers, lateMs } = await all;
    for (const answer of answers) expect(answer).toEqual({ kind: "failed", category: "dns_timed_out" });
    expect(lateMs).toBeLessThan(250);
    expect(silent.questions.length).toBeGreaterThanOrEqual(40);
  });

  it("that knows no such name fails the attempt at once", async () => {
    const dns = await dnsServer(() => "nxdomain");
    open.push(dns);
    expect(
      await send(sender({ lookup: dnsLookup([dns.address]), dial: neverDial }), "http://hooks.partner.com/"),
    ).toEqual({ kind: "failed", category: "dns_failed" });
  });

  it("that is asked in a way that cannot be called off costs one connect deadline all the same", async () => {
    const by = sender({ lookup: () => new Promise(() => undefined), dial: neverDial, connectTimeoutMs: 100 });
    const { answer, lateMs } = await timed(send(by, "https://hooks.partner.com/"), 100);
    expect(answer).toEqual({ kind: "failed", category: "dns_timed_out" });
    expect(lateMs).toBeLessThan(250);
  });

  it("that answers after the attempt was given up leads nowhere", async () => {
    let resolve: (addresses: readonly string[]) => void = () => undefined;
    const lookup: NameLookup = () => new Promise((settle) => (resolve = settle));
    const by = sender({ lookup, dial: neverDial, connectTimeoutMs: 100 });
    expect(await send(by, "https://hooks.partner.com/")).toMatchObject({ category: "dns_timed_out" });
    resolve([publicV4]);
    await new Promise((done) => setImmediate(done));
  });

  it("that changes its mind between two look-ups gains nothing: each connection dials what its own look-up said", async () => {
    const to = await receiver((_, response) => response.writeHead(204, { connection: "close" }).end());
    const answers: DnsAnswer[] = [[publicV4], ["127.0.0.1"]];
    const dns = await dnsServer((_, asked) => answers[asked - 1] ?? ["127.0.0.1"]);
    open.push(to, dns);
    const { dial: rerouting, targets } = rerouted(to.port, publicV4);
    const by = sender({ lookup: dnsLookup([dns.address]), dial: rerouting });
    expect(await send(by, "http://hooks.partner.com/")).toMatchObject({ status: 204 });
    expect(await send(by, "http://hooks.partner.com/")).toEqual({ kind: "failed", category: "address_refused" });
    expect(targets.map(({ addresses }) => addresses)).toEqual([[publicV4]]);
  });
});

describe("TLS", () => {
  async function tlsReceiver(cert: string): Promise<number> {
    const server = createTlsServer({ cert, key: serverKey }, (socket: Socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"));
    });
    server.on("tlsClientError", () => undefined);
    const port = await listen(server);
    open.push({ [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) });
    return port;
  }

  const over = async (cert: string, settings: Partial<HttpSenderSettings> = {}): Promise<HttpSender> =>
    sender({ lookup: answering(publicV4), dial: rerouted(await tlsReceiver(cert), publicV4).dial, ...settings });

  it("with the right name and a trusted authority is fine", async () => {
    expect(await send(await over(goodCertificate), "https://hooks.partner.com/")).toMatchObject({
      kind: "answered",
      status: 204,
    });
  });

  it("with another name is refused", async () => {
    expect(await send(await over(goodCertificate), "https://other.partner.com/")).toEqual({
      kind: "failed",
      category: "tls_failed",
    });
  });

  it("with an expired certificate is refused", async () => {
    expect(await send(await over(expiredCertificate), "https://hooks.partner.com/")).toEqual({
      kind: "failed",
      category: "tls_failed",
    });
  });

  it("of an unknown authority is refused", async () => {
    expect(await send(await over(goodCertificate, { ca: null }), "https://hooks.partner.com/")).toEqual({
      kind: "failed",
      category: "tls_failed",
    });
  });

  it("is checked, whatever the environment says", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    try {
      for (const [cert, host] of [
        [expiredCertificate, "hooks.partner.com"],
        [goodCertificate, "other.partner.com"],
      ] as const)
        expect(await send(await over(cert), `https://${host}/`)).toEqual({ kind: "failed", category: "tls_failed" });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("that is never answered costs one connect deadline, and the connection", async () => {
    const closed: Promise<unknown>[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => undefined).resume();
      closed.push(once(socket, "close"));
    });
    const port = await listen(server);
    open.push({ [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) });
    const by = sender({ lookup: answering(publicV4), dial: rerouted(port, publicV4).dial, connectTimeoutMs: 150 });
    const { answer, lateMs } = await timed(send(by, "https://hooks.partner.com/"), 150);
    expect(answer).toEqual({ kind: "failed", category: "connect_timed_out" });
    expect(lateMs).toBeLessThan(250);
    await Promise.all(closed);
    expect(closed).toHaveLength(1);
  });

  it("spoken to a plain port is refused", async () => {
    const to = await receiver();
    open.push(to);
    const by = sender({ lookup: answering(publicV4), dial: rerouted(to.port, publicV4).dial });
    expect(await send(by, "https://hooks.partner.com/")).toMatchObject({ kind: "failed", category: "tls_failed" });
  });
});
