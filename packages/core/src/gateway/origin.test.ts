import { describe, expect, it } from "vitest";
import { judgeHost, judgeOrigin } from "./origin.ts";

describe("a Host", () => {
  const onLoopback = { isLoopbackListener: true, allowedHosts: null };
  const inPublic = { isLoopbackListener: false, allowedHosts: null };

  it.each(["localhost", "LOCALHOST:80", "127.0.0.1:8080", "[::1]:8080", "a.localhost"])(
    "%s may be asked on loopback",
    (host) => {
      expect(judgeHost({ host, ...onLoopback })).toBeNull();
    },
  );

  it.each(["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.1", "[::2]"])(
    "%s may not be asked on loopback",
    (host) => {
      expect(judgeHost({ host, ...onLoopback })).toMatchObject({ status: 403, code: "host_refused" });
    },
  );

  it.each([null, "", "a b", "a/b", "user@localhost", "localhost:", "localhost:x", "[::1", "a".repeat(300)])(
    "%j is no host",
    (host) => {
      expect(judgeHost({ host, ...inPublic })).toMatchObject({ status: 400, code: "bad_request" });
    },
  );

  it("may be any in public, unless some are named", () => {
    expect(judgeHost({ host: "app.example", ...inPublic })).toBeNull();
    expect(judgeHost({ host: "app.example:8443", ...inPublic, allowedHosts: ["app.example"] })).toBeNull();
    expect(judgeHost({ host: "app.example:8443", ...inPublic, allowedHosts: ["app.example:8443"] })).toBeNull();
    const refused = judgeHost({ host: "app.example:1", ...inPublic, allowedHosts: ["app.example:8443"] });
    expect(refused?.message).toContain("`allowedHosts`");
  });

  it("that is named may be asked on loopback too, as behind a proxy", () => {
    expect(judgeHost({ host: "app.example", isLoopbackListener: true, allowedHosts: ["app.example"] })).toBeNull();
  });
});

describe("an Origin", () => {
  const facts = { host: "app.example", hasCookies: false, allowedOrigins: ["https://other.example"] };

  it.each([
    ["https://app.example", "app.example"],
    ["https://app.example", "app.example:443"],
    ["http://APP.example:80", "app.example"],
    ["http://app.example:8080", "app.example:8080"],
    ["http://[::1]:80", "[::1]"],
  ])("%s is that of the host %s", (origin, host) => {
    expect(judgeOrigin({ ...facts, origin, host })).toBeNull();
  });

  it("may be one that is allowed, exactly", () => {
    expect(judgeOrigin({ ...facts, origin: "https://other.example" })).toBeNull();
    expect(judgeOrigin({ ...facts, origin: "HTTPS://OTHER.example" })).toBeNull();
  });

  it.each([
    "null",
    "",
    "app.example",
    "https://app.example.evil",
    "https://evil-app.example",
    "https://app.example:444",
    "http://other.example",
    "https://sub.other.example",
    "https://other.example:443",
    "https://app.example/",
    "https://user@app.example",
    "https://app.example\\.evil",
    "file://",
    "javascript://app.example",
    "https://app.example https://evil.example",
  ])("%j is another", (origin) => {
    expect(judgeOrigin({ ...facts, origin })).toMatchObject({ status: 403, code: "origin_refused" });
  });

  it("may be missing only where there are no cookies", () => {
    expect(judgeOrigin({ ...facts, origin: null })).toBeNull();
    expect(judgeOrigin({ ...facts, origin: null, hasCookies: true })).toMatchObject({ status: 403 });
  });

  it("that is refused is named, shortened, with the option to set", () => {
    const { message } = judgeOrigin({ ...facts, origin: `https://${"x".repeat(5_000)}` }) ?? { message: "" };
    expect(message).toContain("`allowedOrigins`");
    expect(message.length).toBeLessThan(400);
  });
});
