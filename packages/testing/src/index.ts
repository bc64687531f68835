export { fakeSurroundings } from "./fake-surroundings.ts";
export type { FakeSurroundings, FakeSurroundingsOptions } from "./fake-surroundings.ts";
export { forEachSeed, seededRandom } from "./seeded-random.ts";
export type { SeededRandom } from "./seeded-random.ts";
export { RecordingSubscriber } from "./recording-subscriber.ts";
export type { Recorded, RecordingOptions } from "./recording-subscriber.ts";
export { SlowSocket } from "./slow-socket.ts";
export { draft, drafts } from "./draft.ts";
