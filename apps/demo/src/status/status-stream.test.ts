import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { maxPages, StatusStream } from "./status-stream.ts";

it("tells at most so many pages: with one more the oldest is let go", async () => {
  const stream = new StatusStream(async () => ({ head: 1 }));
  const server = createServer((_, response) => stream.open(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    stream.close();
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const first = await fetch(url);
  const others: Response[] = [];
  for (let count = 1; count < maxPages; count += 1) others.push(await fetch(url));
  const reader = others[0]?.body?.pipeThrough(new TextDecoderStream()).getReader();
  let told = "";
  while (!told.includes("data:")) told += (await reader?.read())?.value ?? "";
  expect(told).toContain('data: {"head":1}');

  const newest = await fetch(url);
  // Ends only because it was let go.
  expect(await first.text()).toContain("retry:");
  await reader?.cancel();
  await newest.body?.cancel();
});
