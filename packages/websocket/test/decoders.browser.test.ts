import { Broker } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { WebSocketGateway } from "../src/index.ts";

/** What runs in the page: each socket keeps the texts of the events it got. */
const script = `
  const sockets = new Map();
  globalThis.page = {
    open: (name, query = "") => new Promise((resolve) => {
      const socket = new WebSocket("ws://" + location.host + "/events" + query);
      const texts = [];
      sockets.set(name, { socket, texts });
      socket.onmessage = ({ data }) => {
        if (data.includes('"client.connected"')) resolve();
        else if (data.includes('"id"')) texts.push(data);
      };
    }),
    extensions: (name) => sockets.get(name).socket.extensions,
    until: async (name, offset) => {
      const { socket, texts } = sockets.get(name);
      while (!(texts.at(-1) ?? "").includes('-' + offset + '",')) {
        if (socket.readyState !== WebSocket.OPEN) throw new Error("closed after " + texts.length);
        await new Promise((resolve) => socket.addEventListener("message", resolve, { once: true }));
      }
      return texts;
    },
  };
`;

describeWith("chromium", "the decoder of Chromium", (executablePath) => {
  it("reads the shared frames: from the beginning, late, resumed, filtered, in pieces, larger than the window", async () => {
    const broker = new Broker<Record<string, unknown>>({ observe: [], drain: { spreadMs: 0, deadlineMs: 1_000 } });
    const server = createServer((_, response) =>
      response.setHeader("content-type", "text/html").end(`<script>${script}</script>`),
    );
    new WebSocketGateway(broker, {
      server,
      authorize: allowAnyone,
      compression: "shared",
      minCompressedClients: 1,
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    onTestFinished(async () => {
      await browser.close();
      await broker.close();
      server.closeAllConnections();
      server.close();
    });
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const inPage = <Result>(run: string): Promise<Result> => page.evaluate<Result>(`page.${run}`);
    const open = (name: string, query = ""): Promise<void> =>
      inPage(`open(${JSON.stringify(name)}, ${JSON.stringify(query)})`);
    const until = async (name: string, offset: number): Promise<readonly string[]> =>
      inPage(`until(${JSON.stringify(name)}, ${offset})`);

    const sent: string[] = [];
    const publish = async (count: number, type = "model.updated", text = ""): Promise<void> => {
      const events = await Promise.all(
        Array.from({ length: count }, (_, n) =>
          broker.publish(type, {
            model: { id: `provider/model-${n % 40}`, price: n / 7, note: `né \u{1F680}${text}` },
          }),
        ),
      );
      sent.push(...events.map((event) => JSON.stringify(event)));
    };
    await open("first");
    await open("models", "?types=model.*");
    expect(await inPage('extensions("first")')).toContain("permessage-deflate");
    for (let turn = 0; turn < 50; turn += 1) await publish(2);
    await publish(1, "sync.started");
    await open("late");
    await publish(2, "model.added", Array.from({ length: 20_000 }, (_, n) => n.toString(36)).join(""));
    await publish(2_000);
    for (let turn = 0; turn < 20; turn += 1) await publish(1);
    const last = sent.length;
    await until("first", last);
    await open("resumed", `?after=${broker.position.epoch}-10`);
    await publish(3);
    expect(await until("first", last + 3)).toEqual(sent);
    expect(await until("late", last + 3)).toEqual(sent.slice(101));
    expect(await until("resumed", last + 3)).toEqual(sent.slice(10));
    expect(await until("models", last + 3)).toEqual(sent.filter((text) => text.includes('"type":"model.')));
  });
});
