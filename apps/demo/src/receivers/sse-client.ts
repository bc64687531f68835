import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Connect } from "./live-client.ts";

/** Connects to a gateway's URL over Server-Sent Events, the way an EventSource does: `Last-Event-ID` says where it was. */
export function sseAt(url: string, token: string | null = null): Connect {
  return (after, { frame, ended }) => {
    let response: IncomingMessage | null = null;
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    const headers = { accept: "text/event-stream", "last-event-id": after, ...authorization };
    const request = get(url, { headers, agent: false }, (answer) => {
      response = answer;
      answer.setEncoding("utf8");
      const takeData = dataLines(frame);
      answer.on("data", takeData);
      answer.on("close", ended);
      answer.on("error", () => undefined);
      if (answer.statusCode !== 200) answer.destroy();
    });
    request.on("error", () => void (response === null && ended()));
    return {
      stall: () => response?.pause(),
      unstall: () => response?.resume(),
      cut: () => request.destroy(),
    };
  };
}

// The gateway writes an event's JSON on one line; text may arrive cut anywhere.
function dataLines(onData: (data: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data: ")) onData(line.slice(6));
  };
}
