import type { StreamConfig, StreamInfo, JetStreamManager } from "@nats-io/jetstream";
import { DiscardPolicy, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { StarcastError } from "@starcast/core";
import { describeStream } from "./epoch.ts";
import { isAbsent, toStoreError } from "./nats-error.ts";
import type { ResolvedJetStreamOptions } from "./options.ts";

/** The subject that events are published to; one stream takes it, and nothing else. */
export function subjectOf(stream: string): string {
  return `${stream}.events`;
}

/** What the stream of a log has to be like. */
export function wantedStream({
  stream,
  retention,
  replicas,
  dedupeWindowMs,
}: ResolvedJetStreamOptions): Partial<StreamConfig> & { readonly name: string } {
  return {
    name: stream,
    description: describeStream(0),
    subjects: [subjectOf(stream)],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    storage: StorageType.File,
    num_replicas: replicas,
    max_msgs: orUnlimited(retention.maxEvents),
    max_bytes: orUnlimited(retention.maxBytes),
    max_age: Number.isFinite(retention.maxAgeMs) ? nanos(retention.maxAgeMs) : 0,
    max_msgs_per_subject: -1,
    duplicate_window: nanos(dedupeWindowMs),
    // Offsets are dense, and a gap is what retention took: nobody may take out anything else.
    deny_delete: true,
    deny_purge: true,
    allow_rollup_hdrs: false,
  };
}

/** Why this stream cannot be a log; empty when it can. How much is retained, and how often copied, is its own affair. */
export function problemsOf(config: StreamConfig): readonly string[] {
  const wanted: readonly (readonly [boolean, string])[] = [
    [
      config.subjects?.length === 1 && config.subjects[0] === subjectOf(config.name),
      `subjects: ["${subjectOf(config.name)}"]`,
    ],
    [config.deny_delete, "deny_delete: true"],
    [config.deny_purge, "deny_purge: true"],
    [(config.max_msgs_per_subject ?? -1) <= 0, "no max_msgs_per_subject"],
    [config.retention === RetentionPolicy.Limits, "retention: limits"],
    [config.discard === DiscardPolicy.Old, "discard: old"],
    [config.storage === StorageType.File, "storage: file"],
    [!config.sealed, "not sealed"],
    [config.mirror === undefined && (config.sources ?? []).length === 0, "no mirror and no sources"],
    [config.republish === undefined, "no republish"],
    [(config.max_msg_size ?? -1) <= 0, "no max_msg_size"],
  ];
  return wanted.filter(([holds]) => !holds).map(([, what]) => what);
}

/** Makes the stream where there is none; rejects with `unsupported` when there is one that cannot be a log. */
export async function openStream(manager: JetStreamManager, options: ResolvedJetStreamOptions): Promise<StreamInfo> {
  const info = await ensureStream(manager, wantedStream(options));
  const problems = problemsOf(info.config);
  if (problems.length === 0) return info;
  throw new StarcastError(
    "unsupported",
    `Expected stream \`${options.stream}\` to have ${problems.join(", ")}: name another stream, or let Starcast make it`,
  );
}

/** The stream of this name, made if there is none. Two processes may both find none, and both make the same one. */
export async function ensureStream(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { readonly name: string },
): Promise<StreamInfo> {
  try {
    return await manager.streams.info(config.name);
  } catch (error) {
    if (!isAbsent(error)) throw toStoreError(error, `look at stream \`${config.name}\``);
  }
  try {
    return await manager.streams.add(config);
  } catch (error) {
    throw toStoreError(error, `make stream \`${config.name}\``);
  }
}

function orUnlimited(limit: number): number {
  return Number.isFinite(limit) ? limit : -1;
}
