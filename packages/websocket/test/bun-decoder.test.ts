import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { openHouse } from "./listen.ts";

// Says when it is connected, then the text of each event.
const script = `
  const socket = new WebSocket(process.argv.at(-1));
  socket.onmessage = ({ data }) => console.log(data.includes('"client.connected"') ? socket.extensions : data);
`;

describeWith("bun", "the decoder of Bun", (bun) => {
  it("reads the shared frames, one by one, in pieces, and larger than the window", async () => {
    const { broker, url } = await openHouse({ gateway: { compression: "shared", minCompressedClients: 1 } });
    const child = spawn(bun, ["-e", script, url], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill());
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const line = async (): Promise<string> => String((await lines.next()).value);
    expect(await line()).toContain("permessage-deflate");
    const sent: string[] = [];
    const publish = async (count: number, text = ""): Promise<void> => {
      const events = await Promise.all(
        Array.from({ length: count }, (_, n) => broker.publish("model.updated", { id: `model-${n % 40}`, n, text })),
      );
      sent.push(...events.map((event) => JSON.stringify(event)));
    };
    for (let turn = 0; turn < 100; turn += 1) await publish(1);
    await publish(2, Array.from({ length: 20_000 }, (_, n) => n.toString(36)).join(""));
    await publish(2_000);
    for (let turn = 0; turn < 20; turn += 1) await publish(1);
    for (const text of sent) expect(await line()).toBe(text);
  });
});
