import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { bytesOf, valid, type ValidVector } from "./vectors.ts";

describeWith("openssl", "the openssl program", (openssl) => {
  const folder = mkdtempSync(join(tmpdir(), "standard-webhooks-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(valid.filter(({ signedBy }) => signedBy.length > 0))("signs $name", (vector) => {
    const signatures = vector.signedBy.map((key) =>
      key.startsWith("whsec_") ? `v1,${hmac(key, vector)}` : `v1a,${ed25519(key, vector)}`,
    );
    expect(signatures.join(" ")).toBe(vector.headers["webhook-signature"]);
  });

  function hmac(key: string, vector: ValidVector): string {
    const secret = Buffer.from(key.slice("whsec_".length), "base64").toString("hex");
    const arguments_ = ["dgst", "-sha256", "-mac", "HMAC", "-macopt", `hexkey:${secret}`, "-binary"];
    return execFileSync(openssl, arguments_, { input: contentOf(vector) }).toString("base64");
  }

  function ed25519(key: string, vector: ValidVector): string {
    // PKCS #8 of RFC 8410, section 7: a fixed head, then the seed.
    const head = Buffer.from("302e020100300506032b657004220420", "hex");
    const seed = Buffer.from(key.slice("whsk_".length), "base64").subarray(0, 32);
    const [keyFile, content] = [join(folder, "key.der"), join(folder, "content")];
    writeFileSync(keyFile, Buffer.concat([head, seed]));
    writeFileSync(content, contentOf(vector));
    const arguments_ = ["pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", keyFile, "-in", content];
    return execFileSync(openssl, arguments_).toString("base64");
  }

  function contentOf(vector: ValidVector): Buffer {
    const { "webhook-id": id, "webhook-timestamp": timestamp } = vector.headers;
    return Buffer.concat([Buffer.from(`${id}.${timestamp}.`), bytesOf(vector)]);
  }
});
