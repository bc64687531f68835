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

  // Each is another way of writing an address or a name of the inside.
  it.each([
    "https://127.0.0.1./",
    "https://127.0.0.1../",
    "https://127\u30020\u30020\u30021/",
    "https://%31%32%37.0.0.1/",
    "https://127.0\n.0.1/",
    "https:\\\\127.0.0.1\\",
    "https:127.0.0.1/",
    "https://0/",
    "https://0300.0250.1.1/",
    "https://017700000001/",
    "https://0x7F.0.0.0x1/",
    "https://127.0.1/",
    "https://256.0.0.1/",
    "https://4294967296/",
    "https://[::]/",
    "https://[::127.0.0.1]/",
    "https://[0:0:0:0:0:ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    "https://[::1]./",
    "https://localhost../",
    "https://loc%61lhost/",
    "https://local\u00adhost/",
    "https://\uff2c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54/",
    "https://metadata.google.internal../",
    "https://metadata\uff0egoogle\uff61internal/",
    "https://printer.\u24db\u24de\u24d2\u24d0\u24db/",
    "https://.localhost/",
    "https://hooks..partner.com/",
    "https:///127.0.0.1/",
    "https://127.0.0.1#@hooks.partner.com/",
    "https://127.0.0.1?@hooks.partner.com/",
    "https://127.0.0.1\\@hooks.partner.com/",
    "https://@hooks.partner.com:hunter@127.0.0.1/",
    "https://hooks.partner.com:0/",
    "https://hooks.partner.com:65616/",
    " https://127.0.0.1/ ",
    "javascript:https://hooks.partner.com/",
    "blob:https://hooks.partner.com/",
    "wss://hooks.partner.com/",
  ])("may not be %j", (url) => {
    expect(() => check(url)).toThrow("Expected `url`");
  });

  it.each([
    "https://user:hunter2@hooks.partner.com/?token=hunter2",
    "https://user:hunter2@hooks.partner.com:99999/",
    "https://hooks.partner.com:99999/?token=hunter2",
    "https://user:hunter2@@[",
    "//?hunter2#hunter2",
  ])("never shows credentials of a refused one: %s", (url) => {
    expect(() => check(url)).toThrow(/^Expected `url`(?!.*hunter2)/);
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

  it.each([
    ["0.0.0.0/0", "https://127.0.0.1/"],
    ["10.0.0.1/32", "https://10.0.0.1/"],
    ["10.0.0.1/32", "https://[::ffff:10.0.0.1]/"],
    ["10.0.0.1/32", "https://[64:ff9b::10.0.0.1]/"],
    ["fd00::/8", "https://[fd12::1]/"],
    ["::1/128", "https://[::1]/"],
    ["::/0", "https://[fe80::1]/"],
  ])("%s unlocks %s", (network, url) => {
    expect(check(url, { allow: [network] }).protocol).toBe("https:");
  });

  it.each([
    ["10.0.0.1/32", "https://10.0.0.2/"],
    ["10.0.0.1/32", "https://10.0.0.0/"],
    ["10.0.0.0/31", "https://10.0.0.2/"],
    ["::/0", "https://127.0.0.1/"],
    ["0.0.0.0/0", "https://[::1]/"],
    ["::ffff:0:0/96", "https://127.0.0.1/"],
    ["10.0.0.0/8", "https://[::10.0.0.1]/"],
    ["10.0.0.0/8", "https://[2002:a00:1::]/"],
    ["10.0.0.0/8", "https://localhost/"],
  ])("%s does not unlock %s", (network, url) => {
    expect(() => check(url, { allow: [network] })).toThrow("a public host");
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
    "10.1.0.0/016",
    "10.1.0.0/33",
    "10.1.0.0/-1",
    "10.1.0.0/ 8",
    "10.1/16",
    "010.1.0.0/16",
    "fd00::/129",
    "fd00::1/64",
    "fe80::%eth0/64",
    "::ffff:10.0.0.0/8",
    "10.0.0.1",
    "http://localhost:4000?",
    "http://localhost:4000#",
    "http://LOCALHOST:4000",
    "http://localhost:04000",
    "http://2130706433:4000",
    " http://localhost:4000",
    "//localhost:4000",
    "http://*.partner.com",
    "*",
    "http://*",
    "http://user@localhost:1",
    "ftp://localhost",
    "",
  ])("refuses %j, which is neither origin nor network", (entry) => {
    expect(() => parseUnlocked([entry])).toThrow("Expected `allow`");
  });

  it("is a list: a text is shown as the text it is", () => {
    expect(() => parseUnlocked("localhost" as never)).toThrow("localhost");
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
