import { parsePosition } from "../log/position.ts";
import type { StartingPoint } from "../pump/starting-point.ts";

/** Where a client asked to go on, as it came. */
export interface ResumeRequest {
  /** The `Last-Event-ID` header, which a reconnecting EventSource sends: newer than anything in its URL. */
  readonly lastEventId: string | null;
  readonly query: URLSearchParams;
}

/** Where a client starts: the header wins over the query; nothing said is `latest`; what cannot be read becomes a told gap. Pure. */
export function readResumePoint({ lastEventId, query }: ResumeRequest): StartingPoint {
  const text = [lastEventId, ...resumeParameters.map((name) => query.get(name))].find(
    (value) => value !== null && value !== "",
  );
  return text === undefined || text === null ? "latest" : readPlace(text);
}

/** A place as a client writes it: `earliest`, `latest`, an event's id; anything else is `unreadable`. */
export function readPlace(text: string): StartingPoint {
  return text === "latest" || text === "earliest" ? text : (parsePosition(text) ?? "unreadable");
}

/** The names a resume point goes by in a URL, in order of preference. */
export const resumeParameters: readonly string[] = ["lastEventId", "last_event_id", "after"];
