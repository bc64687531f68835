import * as standardWebhooks from "@starcast/standard-webhooks";
import { describe } from "vitest";
import { itObeysTheVectors } from "./vectors.ts";

describe("the package over node:crypto", () => {
  itObeysTheVectors(standardWebhooks);
});
