import { StarcastError } from "@starcast/core";

/** All bytes of a body; rejects with `source_failed` as soon as there are more than `maxBytes`, and reads no further. */
export async function readBody(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > maxBytes) {
      throw new StarcastError(
        "source_failed",
        `Expected a catalog of at most ${maxBytes} bytes (maxBodyBytes), got more`,
      );
    }
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** The document in these bytes; throws `source_failed` for what is not JSON in UTF-8. */
export function parseBody(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new StarcastError(
      "source_failed",
      `Expected a catalog as JSON in UTF-8, got ${bytes.byteLength} bytes that are not`,
      { cause: error },
    );
  }
}

/** `sha256:<hex>` of these bytes. */
export async function checksumOf(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
  return `sha256:${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
