import { describe, expect, it } from "vitest";
import { checkEndpointUrl, isInternalName, parseUnlocked } from "./url-guard.ts";

const ports = [80, 443, 8080, 8443];

function check(url: unknown, options: { allow?: readonly string[]; allowHttp?: boolean } = {}): URL {
  return checkEndpointUrl(url, {
    unlocked: parseUnlocked(options.allow ?? []),
    ports,
    allowHttp: options.allowHttp ?? false,
  });
}

describe("the URL of an endpoint", () => {
  it.each([
    "https://hooks.partner.com/in",
    "https://hooks.partner.com:8443/in?a=1",
    "https://93.184.216.34/",
    "https://[2606:4700::1]/",
    "https://hooks.partner.com./in",
    "https://bücher.de/",
  ])("may be %s", (url) => {
    expect(check(url).protocol).toBe("https:");
  });

  it.each([
    ["http://hooks.partner.com/", "an https URL (or `allowHttp: true`"],
    ["ftp://hooks.partner.com/", "an https URL"],
    ["file:///etc/passwd", "an https URL"],
    ["https://user@hooks.partner.com/", "without user and password"],
    ["https://user:pw@hooks.partner.com/", "without user and password"],
    ["https://hooks.partner.com/#part", "without a fragment"],
    ["https://hooks.partner.com:22/", "a port of 80, 443, 8080, 8443"],
    ["https://localhost/", "a public host"],
    ["https://LOCALHOST./", "a public host"],
    ["https://a.localhost/", "a public host"],
    ["https://printer.local/", "a public host"],
    ["https://metadata.google.internal/", "a public host"],
    ["https://intranet/", "a public host"],
    ["https://127.0.0.1/", "a public host"],
    ["https://127.1/", "a public host"],
    ["https://0x7f000001/", "a public host"],
    ["https://2130706433/", "a public host"],
    ["https://0177.0.0.1/", "a public host"],
    ["https://①②⑦.⓪.⓪.①/", "a public host"],
    ["https://[::1]/", "a public host"],
    ["https://[::ffff:169.254.169.254]/", "a public host"],
    ["https://169.254.169.254/latest/meta-data", "a public host"],
    ["//hooks.partner.com", "an absolute URL"],
    ["", "an absolute URL"],
    [42, "an absolute URL"],
    [`https://hooks.partner.com/${"x".repeat(2_048)}`, "an absolute URL of at most 2048"],
  ])("may not be %s", (url, expected) => {
    expect(() => check(url)).toThrow(expected);
  });

  it("never shows credentials of a refused URL", () => {
    expect(() => check("https://user:hunter2@hooks.partner.com/?token=hunter2")).toThrow(/^(?!.*hunter2)/);
  });

  it("may be http where the endpoint says so", () => {
    expect(check("http://hooks.partner.com/", { allowHttp: true }).protocol).toBe("http:");
    expect(() => check("http://10.0.0.1/", { allowHttp: true })).toThrow("a public host");
  });
});

describe("`allow`", () => {
  it("unlocks exactly one origin, whatever its scheme, name and port", () => {
    const allow = ["http://localhost:4000"];
    expect(check("http://localhost:4000/in", { allow }).port).toBe("4000");
    for (const other of [
      "http://localhost:4001/",
      "https://localhost:4000/",
      "http://127.0.0.1:4000/",
      "http://a.localhost:4000/",
    ]) {
      expect(() => check(other, { allow })).toThrow("Expected `url`");
    }
  });

  it("unlocks a network for address literals, and nothing else of them", () => {
    const allow = ["10.1.0.0/16"];
    expect(check("https://10.1.2.3/", { allow }).hostname).toBe("10.1.2.3");
    expect(() => check("https://10.2.2.3/", { allow })).toThrow("a public host");
    expect(() => check("http://10.1.2.3/", { allow })).toThrow("an https URL");
    expect(() => check("https://10.1.2.3:22/", { allow })).toThrow("a port of");
  });

  it.each([
    "localhost",
    "http://localhost:4000/in",
    "10.1.0.1/16",
    "10.0.0.1",
    "*",
    "http://*",
    "http://user@localhost:1",
    "ftp://localhost",
    "",
  ])("refuses %j, which is neither origin nor network", (entry) => {
    expect(() => parseUnlocked([entry])).toThrow("Expected `allow`");
  });
});

describe("internal names", () => {
  it.each([
    "localhost",
    "db",
    "a.internal",
    "x.home.arpa",
    "1.0.0.127.in-addr.arpa",
    "a..b",
    "Printer.LOCAL",
    "x.local.",
  ])("%s is one", (name) => {
    expect(isInternalName(name)).toBe(true);
  });

  it.each(["partner.com", "mylocal.com", "internal.partner.com", "locale.io", "xn--bcher-kva.de"])(
    "%s is none",
    (name) => {
      expect(isInternalName(name)).toBe(false);
    },
  );
});
