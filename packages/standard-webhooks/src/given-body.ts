import { WebhookError, shapeOf } from "./errors.ts";
import { encoder } from "./signature.ts";

/** The raw bytes of a body that was handed over; throws `body_already_parsed` for anything else. */
export function readGivenBody(body: unknown): Uint8Array {
  const bytes = bytesOf(body);
  if (bytes === undefined) throw alreadyParsed(body);
  return bytes;
}

/** The bytes that `body` is or stands for, without a copy where there are bytes; undefined if something else was made of it. */
export function bytesOf(body: unknown): Uint8Array | undefined {
  if (body instanceof Uint8Array) return body;
  if (typeof body === "string") return encoder.encode(body);
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  return undefined;
}

/** The error for a body whose raw bytes are gone, with the fix for each framework. */
export function alreadyParsed(body: unknown): WebhookError {
  return new WebhookError(
    "body_already_parsed",
    [
      `Expected the raw bytes of the body, got ${shapeOf(body)}: something read the body before, and the signature is over its bytes.`,
      'Express: put this route before app.use(express.json()), or give it express.raw({ type: "*/*" }).',
      "Fastify: in a scope of its own, scope.removeAllContentTypeParsers(), then",
      'scope.addContentTypeParser("*", (request, payload, done) => done(null)), and hand over request.raw.',
      "Hono: hand over c.req.raw before anything calls c.req.json().",
      "Next.js: export const POST = receiver.fetch in a route handler, or in pages/api set config = { api: { bodyParser: false } }.",
      "NestJS: NestFactory.create(App, { rawBody: true }).",
    ].join(" "),
  );
}
