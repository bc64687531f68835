import { Broker } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { expect, it, onTestFinished } from "vitest";
import { SseGateway } from "../src/index.ts";

it.each([
  ["nothing", []],
  ["a Fetch request", [new Request("http://localhost/events")]],
  ["the context of a framework", [{ req: {}, res: new Response() }, () => undefined]],
])("a handler called with %s says at once what it takes, and ends no process", (_, given) => {
  const broker = new Broker({ observe: [] });
  onTestFinished(() => broker.close());
  const gateway = new SseGateway(broker, { authorize: allowAnyone });
  const handle: (...args: readonly unknown[]) => void = gateway.handle as never;
  expect(() => handle(...given)).toThrow(
    expect.objectContaining({ code: "invalid_option", message: expect.stringContaining("`fetch`") as string }) as Error,
  );
});
