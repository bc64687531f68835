export { Broker } from "./broker/broker.ts";
export type {
  BrokerStats,
  FollowingOptions,
  PublicationOf,
  PublishArguments,
  Published,
  TypedSubscribeOptions,
} from "./broker/typed-options.ts";
export type { BrokerOptions } from "./options.ts";
export type { AnyBroker, DrainPlan, Part } from "./broker/any-broker.ts";
export type { Filter, PublishOptions, StartingPoint, SubscribeOptions, Subscription } from "./broker/subscription.ts";
export { untilSignal } from "./broker/until-signal.ts";
export type { SignalName } from "./broker/until-signal.ts";

export type { Event, EventDraft, EventMap, EventOf, StoredEvent } from "./event/event.ts";
export { LogEvent } from "./event/log-event.ts";
export { defineEvents, event } from "./event/vocabulary.ts";
export type { AnyVocabulary, EventDefinition, StandardSchema, Vocabulary } from "./event/vocabulary.ts";
export type { EventsMatching, TypePattern } from "./event/type-pattern.ts";
export { checkSubject, checkType, maxSubjectLength, maxTypeLength } from "./event/check-draft.ts";
export { snapshot, utf8Length } from "./event/snapshot.ts";

export type { Appended, Durability, EventLog, ReadLimit } from "./log/event-log.ts";
export { DedupeWindow } from "./log/dedupe-window.ts";
export { checkListFits } from "./log/check-list-fits.ts";
export { IsoTime } from "./log/iso-time.ts";
export { Watchers } from "./log/watchers.ts";
export { MemoryLog, makeEpoch } from "./log/memory-log.ts";
export type { MemoryLogOptions } from "./log/memory-log.ts";
export { formatPosition, isSamePosition, parsePosition, requirePosition } from "./log/position.ts";
export type { Position } from "./log/position.ts";

export type { CheckpointStore, Lease } from "./store/checkpoint-store.ts";
export type {
  Attempt,
  Backlog,
  Claim,
  ClaimRequest,
  DeadReason,
  DeliveredEvent,
  Delivery,
  DeliveryDraft,
  DeliveryPage,
  DeliverySelection,
  DeliveryState,
  DeliveryStore,
} from "./store/delivery-store.ts";
export { pageOf, select } from "./store/delivery-page.ts";
export { Backlogs } from "./store/backlogs.ts";
export { endOf, isUnfinished, withAttempt } from "./store/endpoint-backlog.ts";
export type { Backlogged } from "./store/endpoint-backlog.ts";
export type { Queued } from "./store/due-queue.ts";
export { MemoryCheckpoints, checkCheckpointName } from "./store/memory-checkpoints.ts";
export { MemoryDeliveries } from "./store/memory-deliveries.ts";
export { MemoryRecords, checkRecordKey } from "./store/memory-records.ts";
export { MemoryStore } from "./store/memory-store.ts";
export type { MemoryStoreOptions } from "./store/memory-store.ts";
export type { RecordStore, StoredRecord } from "./store/record-store.ts";
export type { Store } from "./store/store.ts";
export { steadyClock } from "./steady-clock.ts";
export { Turns } from "./store/turns.ts";
export type { Due } from "./store/turns.ts";

export { maxPieceBytes } from "./encoding/batch.ts";
export type { Batch, Piece } from "./encoding/batch.ts";
export * from "./encoding/cloudevents.ts";
export type { Encoding } from "./encoding/encoding.ts";
export { json, jsonEnvelope } from "./encoding/json.ts";
export { sharedBytes, utf8Bytes } from "./encoding/side-by-side.ts";

export type { EventFunction, EventReceiver } from "./subscriber/to-subscriber.ts";
export { EventsMissedError } from "./subscriber/follow.ts";
export type { CloseReason, Gap, GapReason, Line, Subscriber } from "./subscriber/subscriber.ts";
export { compileFilter, maxFilterPatterns, maxPatternLength } from "./pump/filter.ts";
export type { CompiledFilter, Matchable } from "./pump/filter.ts";

export { logTo } from "./observe/log-to.ts";
export type { Logger, LogToOptions } from "./observe/log-to.ts";
export type { Counts } from "./observe/counters.ts";
export type { Moment, MomentLevel, Moments, Observer } from "./observe/observer.ts";

export { realSurroundings } from "./clock.ts";
export type { Clock, Random, Scheduler, Surroundings, Timer } from "./clock.ts";
export { InvalidOptionError, StarcastError, describe, isStarcastError } from "./errors.ts";
export type { ErrorCode } from "./errors.ts";
export { checkKeys, flag, integer, oneOf } from "./option-checks.ts";
