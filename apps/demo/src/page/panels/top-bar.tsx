import type { ClientState } from "@starcast/client";
import type { VNode } from "preact";
import { theme, turnTheme } from "../feed/theme.ts";
import { Pill } from "../pieces/pill.tsx";
import type { Tone } from "../words/transports.ts";

const themeNames = { auto: "System", light: "Light", dark: "Dark" };

export interface TopBarProps {
  readonly state: ClientState | null;
  /** False while the demo does not answer. */
  readonly isUp: boolean;
}

/** Who this is, and how this page is connected. */
export function TopBar({ state, isUp }: TopBarProps): VNode {
  const { word, tone } = describe(state, isUp);
  return (
    <header class="top-bar">
      <a class="brand" href="#">
        <img src="/star.svg" alt="" width="28" height="28" />
        Starcast
      </a>
      <span class="top-state" data-state={state?.kind ?? "connecting"}>
        <span class="muted wide-only">This page:</span> <Pill tone={tone}>{word}</Pill>
      </span>
      <button
        type="button"
        class="quiet"
        onClick={turnTheme}
        aria-label={`Theme: ${themeNames[theme.value]}. Change it`}
      >
        <span aria-hidden="true">◐</span> <span class="wide-only">{themeNames[theme.value]}</span>
      </button>
    </header>
  );
}

const transportNames = { websocket: "WebSocket", sse: "SSE" };

function describe(state: ClientState | null, isUp: boolean): { readonly word: string; readonly tone: Tone } {
  if (state === null) return { word: "Connecting", tone: "busy" };
  switch (state.kind) {
    case "live":
      return isUp
        ? { word: `Live over ${transportNames[state.transport]}`, tone: "good" }
        : { word: "Reconnecting", tone: "busy" };
    case "catching_up":
      return { word: "Catching up", tone: "busy" };
    case "connecting":
      return { word: "Connecting", tone: "busy" };
    case "waiting":
      return { word: "Reconnecting", tone: "busy" };
    case "closed":
      return { word: "Closed", tone: "bad" };
  }
}
