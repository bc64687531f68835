import * as standardWebhooks from "@starcast/standard-webhooks";
import { describe, expect, it, vi } from "vitest";
import { itObeysTheVectors } from "./vectors.ts";

// What every runtime without the `node` condition gets.
vi.mock("#crypto", async () => import("../src/crypto-web.ts"));

describe("the package over Web Crypto", () => {
  it("has no node:crypto", async () => {
    const signed = vi.spyOn(crypto.subtle, "sign");
    await standardWebhooks.sign({ id: "a", timestamp: Date.now(), body: "", keys: standardWebhooks.makeKey() });
    expect(signed).toHaveBeenCalledOnce();
    signed.mockRestore();
  });

  itObeysTheVectors(standardWebhooks);
});
