import { describe, expect, it } from "vitest";
import { visitOfFetch, visitOfNode, type NodeSocket } from "./visit.ts";
import { readCookie, visitorOf } from "./visitor.ts";

function visit(
  headers: Record<string, string>,
  url = "/events?types=a.b",
  socket: NodeSocket = {},
): ReturnType<typeof visitOfNode> {
  return visitOfNode({ method: "GET", url, headers: { host: "app.example", ...headers }, socket }, "websocket");
}

describe("a visitor", () => {
  it("has a URL, with the host it asked for", () => {
    expect(visitorOf(visit({}), null)?.url.href).toBe("ws://app.example/events?types=a.b");
  });

  it.each([
    ["another host behind two slashes", "//evil.example/x", "ws://app.example/evil.example/x"],
    ["a whole URL, as proxies ask for", "http://other.example/x?y", "http://other.example/x?y"],
  ])("asking for %s does not change who was asked for", (_what, target, href) => {
    expect(visitorOf(visit({}, target), null)?.url.href).toBe(href);
  });

  it("is nobody with a target that is no URL", () => {
    expect(visitorOf(visit({}, "http://["), null)).toBeNull();
  });

  it.each([
    ["a bearer token", { authorization: "Bearer t0ken" }, "t0ken"],
    ["a subprotocol entry", { "sec-websocket-protocol": "starcast.v1, starcast.token.t0ken" }, "t0ken"],
    ["both: the header counts", { authorization: "bearer one", "sec-websocket-protocol": "starcast.token.two" }, "one"],
    ["another scheme", { authorization: "Basic dDpw" }, null],
    ["an empty entry", { "sec-websocket-protocol": "starcast.token." }, null],
  ])("brings its token by %s", (_what, headers: Record<string, string>, token) => {
    expect(visitorOf(visit(headers), null)?.token).toBe(token);
  });

  it("is judged anew by a token it brings later", () => {
    expect(visitorOf(visit({ authorization: "Bearer old" }), null, "new")?.token).toBe("new");
  });

  it.each([
    ["a=1; b=2", "b", "2"],
    ["ab=1; b=2", "b", "2"],
    ["b=2; b=3", "b", "2"],
    ["b=x=y", "b", "x=y"],
    ["b", "b", null],
    ["=2", "", null],
    [null, "b", null],
  ])("with cookies %j has for %j: %j", (header, name, value) => {
    expect(readCookie(header, name)).toBe(value);
  });
});

/** As Node's own. */
class RememberingSocket implements NodeSocket {
  _peername: { readonly address: string } | undefined;

  get remoteAddress(): string {
    this._peername ??= { address: "10.0.0.1" };
    return this._peername.address;
  }
}

describe("a visit", () => {
  it("knows the address a server listens on, not only the one that was reached", () => {
    const listening = (address: unknown): NodeSocket =>
      ({ localAddress: "127.0.0.1", server: { address: () => address } }) as NodeSocket;
    expect(visit({}, "/", listening({ address: "0.0.0.0" })).isLoopbackListener).toBe(false);
    expect(visit({}, "/", listening({ address: "127.0.0.1" })).isLoopbackListener).toBe(true);
    expect(visit({}, "/", listening(null)).isLoopbackListener).toBe(true);
    expect(visit({}, "/", { localAddress: "::1" }).isLoopbackListener).toBe(true);
    expect(visit({}, "/", {}).isLoopbackListener).toBe(false);
  });

  it("leaves a socket as it was: Node would keep the address that was asked for, as long as the connection lasts", () => {
    const fresh = new RememberingSocket();
    expect(visit({}, "/", fresh).peerAddress).toBe("10.0.0.1");
    expect(fresh._peername).toBeUndefined();
    const asked = new RememberingSocket();
    const { remoteAddress } = asked;
    expect(visit({}, "/", asked).peerAddress).toBe(remoteAddress);
    expect(asked._peername).toBeDefined();
  });

  it("has the target as the client wrote it, though a router cut its part off", () => {
    const req = { originalUrl: "/api/events?x", url: "/events?x", headers: {}, socket: {} };
    expect(visitOfNode(req, "sse").target).toBe("/api/events?x");
  });

  it.each([undefined, "203.0.113.7"])(
    "of a Fetch request from this machine is one on loopback, forwarded for %s or not: pages can say that too",
    (forwarded) => {
      const request = new Request("http://rebound.example/events", {
        headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
      });
      expect(visitOfFetch(request, "sse", "127.0.0.1").isLoopbackListener).toBe(true);
    },
  );

  it("of a Fetch request finds the host in its URL", () => {
    const request = new Request("https://app.example:8443/events?types=a.b", { headers: { "X-One": "1" } });
    const facts = visitOfFetch(request, "sse", "198.51.100.7");
    expect(facts).toMatchObject({ target: "/events?types=a.b", isEncrypted: true, isLoopbackListener: false });
    expect(facts.headers.get("host")).toBe("app.example:8443");
    expect(facts.headers.get("x-one")).toBe("1");
  });
});
