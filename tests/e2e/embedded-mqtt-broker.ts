import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { Aedes } from "aedes";

/** An MQTT broker inside this process, on a free port of the loopback interface. */
export async function startEmbeddedMqttBroker(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => broker.close(resolve));
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `mqtt://127.0.0.1:${port}`, close };
}
