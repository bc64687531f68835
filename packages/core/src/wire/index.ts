export { closeCodes, comingBack } from "./close-codes.ts";
export type { CloseCode, CloseReasonName, ComingBack } from "./close-codes.ts";
export { clientPrefix } from "./frames.ts";
export type {
  ClientFrame,
  ClientFrameType,
  ClientFrames,
  ClientOperation,
  EventFrame,
  Frame,
  WireGapReason,
  WireState,
} from "./frames.ts";
export { maxFrameLength, parseFrame, readFrame } from "./parse-frame.ts";
export type { FrameFault, ParsedFrame } from "./parse-frame.ts";
export { typeMatcher } from "./type-pattern.ts";
export type { TypePattern, TypesMatching } from "./type-pattern.ts";
