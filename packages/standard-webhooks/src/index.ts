// Keys.
export { keyLimits, parseKey, redactKey } from "./keys.ts";
export type { KeyInput, KeyRecord, PrivateKey, PublicKey, SharedKey, WebhookKey } from "./keys.ts";
export { makeKey, makeKeyPair, publicKeyOf } from "./key-making.ts";
export type { KeyPair } from "./key-making.ts";
export { rotateKeys } from "./key-rotation.ts";
export type { RotateOptions } from "./key-rotation.ts";

// Sending.
export { sign } from "./signature.ts";
export type { SignatureHeaders, SignOptions } from "./signature.ts";

// Receiving.
export { verify } from "./verify.ts";
export type { VerifiedWebhook, VerifyOptions } from "./verify.ts";
export { headerLimits } from "./headers.ts";
export type { HeaderSource } from "./headers.ts";
export type { Tolerance } from "./tolerance.ts";
export { WebhookVerifier } from "./webhook-verifier.ts";
export type { Received, Verified, WebhookHandler } from "./webhook-verifier.ts";
export type { PayloadKind, WebhookVerifierOptions } from "./options.ts";
export type { EventVocabulary, GapData, WebhookData, WebhookEvent, WebhookEventOf } from "./webhook-event.ts";
export type { Receiver, NodeResponse } from "./receive.ts";
export type { NodeRequest } from "./node-body.ts";
export type { GivenWebhook, WebhookRequest } from "./webhook-request.ts";
export { MemorySeenIds } from "./seen-ids.ts";
export type { SeenAttempt, SeenBefore, SeenIds } from "./seen-ids.ts";
export type { MemorySeenIdsOptions } from "./options.ts";

// Errors.
export { isWebhookError, WebhookError } from "./errors.ts";
export type { WebhookErrorCode } from "./errors.ts";
