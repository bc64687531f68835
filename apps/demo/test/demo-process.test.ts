import { expect, it } from "vitest";
import { startDemo } from "./demo-process.ts";

it("waiting for what a demo writes ends with the demo, also when that was killed", async () => {
  const demo = startDemo(["--port", "0"]);
  const waiting = demo.wrote(/never written/);
  demo.kill("SIGKILL");
  await expect(waiting).rejects.toThrow("it ended");
});
