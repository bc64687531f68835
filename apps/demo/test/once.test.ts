import { afterEach, describe, expect, it } from "vitest";
import { startDemo } from "./demo-process.ts";
import type { DemoProcess } from "./demo-process.ts";

const running: DemoProcess[] = [];
const start = (...args: Parameters<typeof startDemo>): DemoProcess => {
  const demo = startDemo(...args);
  running.push(demo);
  return demo;
};
afterEach(async () => {
  for (const demo of running.splice(0)) {
    demo.kill("SIGKILL");
    await demo.ended;
  }
});

describe("the demo with --once", () => {
  it(
    "delivers every event over every transport, across outages of each, and exits 0",
    { timeout: 100_000 },
    async () => {
      const demo = start(["--once"]);
      const code = await demo.ended;
      const output = demo.output();
      expect(code, output).toBe(0);
      const rows = output.split("\n").filter((line) => /^(?:WebSocket|SSE|MQTT|webhooks) /.test(line));
      const numbers = rows.map((row) => row.trim().split(/ {2,}/).slice(0, 5));
      const sent = numbers[0]?.[1] ?? "";
      expect(Number(sent)).toBeGreaterThan(1_000);
      expect(numbers.map(([name, sentThere, received, , gaps]) => [name, sentThere, received, gaps])).toEqual([
        ["WebSocket", sent, sent, "0"],
        ["SSE", sent, sent, "0"],
        ["MQTT", sent, sent, "0"],
        ["webhooks", sent, sent, "0"],
      ]);
      // What arrives twice over a live connection would be a fault of the gateway: it resumes exactly.
      expect(numbers.slice(0, 2).map(([, , , duplicates]) => duplicates)).toEqual(["0", "0"]);
      expect(rows.every((row) => row.includes("while publishing"))).toBe(true);
    },
  );
});

describe("the demo with a page", () => {
  it("drains on Ctrl-C, says what it did, and ends by itself", async () => {
    const demo = start([]);
    const [, origin = ""] = await demo.wrote(/Starcast is at (http:\/\/127\.0\.0\.1:\d+)\//);
    const stream = await fetch(`${origin}/events`, { headers: { accept: "text/event-stream" } });
    expect(stream.status).toBe(200);
    demo.kill("SIGINT");
    expect(await stream.text()).toContain("client.closing");
    expect(await demo.ended, demo.output()).toBe(0);
    expect(demo.output()).toMatch(
      /Draining: \d+ parts.*\n.*Drained in \d+ ms; clients told to come back later: (?=.*2 of sse)(?=.*1 of websocket).*\nNothing was left undone/s,
    );
  });

  it("answers nobody but this machine's own pages", async () => {
    const demo = start([]);
    const [, origin = ""] = await demo.wrote(/Starcast is at (http:\/\/127\.0\.0\.1:\d+)\//);
    const page = await fetch(`${origin}/`);
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
    expect((await fetch(`${origin}/`, { headers: { origin: "https://elsewhere.example" } })).status).toBe(403);
    expect((await fetch(`${origin}/../src/main.ts`)).status).toBe(404);
    // No URL, and no reason to end.
    expect((await fetch(`${origin}//`)).status).toBe(400);
    const order = { method: "POST", body: JSON.stringify({ what: "mqtt", action: "stop" }) };
    const json = { "content-type": "application/json" };
    expect(
      (await fetch(`${origin}/control`, { ...order, headers: { ...json, origin: "https://elsewhere.example" } }))
        .status,
    ).toBe(403);
    expect((await fetch(`${origin}/control`, { ...order, headers: { "content-type": "text/plain" } })).status).toBe(
      415,
    );
    expect((await fetch(`${origin}/control`, { ...order, headers: json, body: "{}" })).status).toBe(400);
    expect((await fetch(`${origin}/control`, { ...order, headers: json, body: "x".repeat(2_000) })).status).toBe(413);
  });

  it("lets in who has the token, where there is one", async () => {
    const token = "a-token-of-more-than-16";
    const demo = start(["--token", token]);
    const [, origin = ""] = await demo.wrote(/Starcast is at (http:\/\/127\.0\.0\.1:\d+)\/\?token=/);
    expect((await fetch(`${origin}/`)).status).toBe(401);
    expect((await fetch(`${origin}/events`)).status).toBe(401);
    expect((await fetch(`${origin}/?token=wrong`, { redirect: "manual" })).status).toBe(401);
    const entered = await fetch(`${origin}/?token=${token}`, { redirect: "manual" });
    expect(entered.status).toBe(303);
    const cookie = entered.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    expect((await fetch(`${origin}/`, { headers: { cookie: cookie.split(";")[0] ?? "" } })).status).toBe(200);
  });

  it.each([
    [["--host", "0.0.0.0"], /--token/],
    [["--port", "70000"], /--port/],
    [["--token", "short"], /--token/],
    [["--once", "--durable", "somewhere"], /--durable/],
    [["--nonsense"], /nonsense/],
  ])("refuses %j, and says why", async (args, message) => {
    const demo = start(args);
    expect(await demo.ended).toBe(2);
    expect(demo.output()).toMatch(message);
    expect(demo.output()).toContain("npm run demo --");
  });
});
