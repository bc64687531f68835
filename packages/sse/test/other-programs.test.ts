import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { freePort } from "../../../tests/free-port.ts";
import { describeWith } from "../../../tests/services.ts";
import { PlainEventSource } from "./plain-event-source.ts";
import { serveGateway } from "./served-gateway.ts";

/** What a program prints until it has printed this; then it is ended. */
async function printed(command: string, args: readonly string[], wanted: string): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdout.setEncoding("utf8");
  let text = "";
  for await (const part of child.stdout) {
    text += String(part);
    if (text.includes(wanted)) break;
  }
  child.kill("SIGKILL");
  await once(child, "close");
  return text;
}

const lastId = (text: string): string => [...text.matchAll(/^id: (\S+)$/gm)].at(-1)?.[1] ?? "";

const numbers = (text: string): readonly number[] =>
  [...text.matchAll(/"data":\{"n":(\d+)\}/g)].map(([, n]) => Number(n));

describeWith("curl", "curl", (curl) => {
  it("follows a stream, loses the connection, and resumes by the last id it printed", async () => {
    const served = await serveGateway();
    const first = printed(curl, ["-sN", served.url], '{"n":5}');
    await served.seen("clientConnected");
    for (let n = 1; n <= 5; n += 1) await served.broker.publish("model.added", { n });
    const before = await first;
    for (let n = 6; n <= 10; n += 1) await served.broker.publish("model.added", { n });
    const after = await printed(curl, ["-sN", "-H", `Last-Event-ID: ${lastId(before)}`, served.url], '{"n":10}');
    expect([...numbers(before), ...numbers(after)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(after).toContain('"resumed":true');
  });
});

describeWith("nginx", "nginx with buffering and compression on", (nginx) => {
  it("lets each event through at once, and a client that comes back loses nothing", async () => {
    const served = await serveGateway({ sse: { trustedProxies: ["127.0.0.1"] } });
    const url = await startNginx(nginx, served.port);
    const source = new PlainEventSource(url, { "Accept-Encoding": "gzip" });
    await source.hear("client.connected", 1);
    // Each is waited for by itself: a proxy that collected 4 KiB first would never send the first.
    for (let n = 1; n <= 3; n += 1) {
      await served.broker.publish("model.added", { n });
      await source.hear("model.added", n);
    }
    source.drop();
    await served.broker.publish("model.added", { n: 4 });
    const heard = await source.hear("model.added", 4);
    expect(heard.flatMap(({ data }) => numbers(data))).toEqual([1, 2, 3, 4]);
  });
});

/** nginx as distributions configure it, with buffering and gzip, in front of a port; gives the URL of the stream. */
async function startNginx(nginx: string, upstream: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "starcast-nginx-"));
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const server = `server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${upstream}; proxy_http_version 1.1; proxy_buffering on; proxy_set_header Connection ""; } }`;
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {} http { access_log off; gzip on; gzip_types *; ${temporary.join(" ")} ${server} }`,
  );
  const args = ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")];
  execFileSync(nginx, [...args, "-t"], { stdio: "pipe" });
  const child = spawn(nginx, args, { stdio: "ignore" });
  onTestFinished(async () => {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  });
  while (!(await isListening(port)));
  return `http://127.0.0.1:${port}/events`;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
