import { describe, expect, it } from "vitest";
import { readClusterOptions } from "./cluster-options.ts";

describe("options of the cluster demo", () => {
  it("say how many nodes, on a free port and a NATS of its own", () => {
    expect(readClusterOptions(["--cluster", "3"], {})).toEqual({ nodes: 3, port: 0, natsUrl: null });
  });

  it("take a NATS that is there already", () => {
    const env = { NATS_URL: "nats://10.0.0.1:4222" };
    expect(readClusterOptions(["--cluster", "2", "--port", "8421"], env)).toEqual({
      nodes: 2,
      port: 8_421,
      natsUrl: "nats://10.0.0.1:4222",
    });
  });

  it.each([[["--cluster", "0"]], [["--cluster", "10"]], [["--cluster", "x"]], [["--cluster", "2", "--port", "65536"]]])(
    "refuse %j with what was expected",
    (args) => {
      expect(() => readClusterOptions(args, {})).toThrow(/^Expected --/);
    },
  );
});
