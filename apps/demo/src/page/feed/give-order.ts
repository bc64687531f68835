import { signal } from "@preact/signals";

export interface NoticeText {
  readonly id: number;
  readonly kind: "done" | "failed";
  readonly text: string;
}

/** What the page says about the last order; null: nothing. */
export const notice = signal<NoticeText | null>(null);

let notices = 0;

export function say(kind: NoticeText["kind"], text: string): void {
  notices += 1;
  notice.value = { id: notices, kind, text };
}

/** Gives an order to the demo; says what came of it, and resolves with whether it was carried out. */
export async function giveOrder(order: Readonly<Record<string, unknown>>, done: string): Promise<boolean> {
  try {
    const answer = await fetch("/control", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(order),
    });
    if (answer.ok) say("done", done);
    else say("failed", await reasonOf(answer));
    return answer.ok;
  } catch {
    say("failed", "The demo does not answer");
    return false;
  }
}

async function reasonOf(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    return typeof message === "string" ? message : text;
  } catch {
    // Refused before it was an order: in plain words.
    return text;
  }
}
