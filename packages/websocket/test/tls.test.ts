import { Broker } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { execFileSync } from "node:child_process";
import { createServer } from "node:https";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { WebSocketGateway } from "../src/index.ts";
import { Client } from "./client.ts";
import { publishNumbers } from "./listen.ts";

/** A key and a certificate for 127.0.0.1 that is its own authority. */
function makeCertificate(openssl: string): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), "starcast-websocket-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
  try {
    execFileSync(openssl, [...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "pipe" });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describeWith("openssl", "a gateway on an https server", (openssl) => {
  it("delivers bursts and large events in order, to a client that stops reading for a while too", async () => {
    const pair = makeCertificate(openssl);
    const broker = new Broker<Record<string, unknown>>({ observe: [], drain: { spreadMs: 0, deadlineMs: 2_000 } });
    const server = createServer(pair);
    new WebSocketGateway(broker, { server, authorize: allowAnyone });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    onTestFinished(async () => {
      await broker.close();
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const client = new Client(`wss://127.0.0.1:${port}/events`, [], { ca: pair.cert });
    await client.frame("client.connected");
    await publishNumbers(broker, 1, 1_000);
    await client.eventCount(1_000);
    client.socket.pause();
    const text = "x".repeat(100_000);
    for (let n = 1_001; n <= 1_100; n += 1) {
      await broker.publish("model.added", { n, text });
      await new Promise((resolve) => void setImmediate(resolve));
    }
    client.socket.resume();
    const events = await client.eventCount(1_100);
    expect(events.map(({ data }) => (data as { n: number }).n)).toEqual(
      Array.from({ length: 1_100 }, (_, index) => index + 1),
    );
  });
});
