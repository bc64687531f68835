import { once } from "node:events";
import { connect, createServer, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { makeKey, sign, WebhookVerifier } from "@starcast/standard-webhooks";
import { expect, it, onTestFinished } from "vitest";

const key = makeKey();
const body = '{"type":"model.added","data":{}}';

it("receives over HTTP/2 as over HTTP/1.1, and sends no header that HTTP/2 does not have", async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  const { post } = await start();
  expect(await post("POST", body)).toBe(204);
  expect(await post("POST", `{"type":"${"x".repeat(1000)}"}`)).toBe(413);
  expect(await post("PUT", body)).toBe(405);
  // Warnings come in the next turn.
  await new Promise(setImmediate);
  process.off("warning", onWarning);
  expect(warnings).toEqual([]);
});

async function start() {
  const verifier = new WebhookVerifier({ keys: key, maxBodyBytes: 100, onError: () => undefined });
  const { node } = verifier.receive(() => undefined);
  const server = createServer((request, response) => void node(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(async () => {
    client.close();
    server.close();
    await once(server, "close");
  });
  return {
    post: async (method: string, content: string): Promise<unknown> => {
      const headers = await sign({ id: "evt-1", timestamp: Date.now(), body: content, keys: key });
      const stream = client.request({ ":method": method, ":path": "/hook", ...headers });
      stream.end(content);
      const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
      stream.resume();
      await once(stream, "end");
      return answer[":status" as keyof IncomingHttpHeaders];
    },
  };
}
