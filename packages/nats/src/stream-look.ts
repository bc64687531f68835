import type { StreamInfo } from "@nats-io/jetstream";
import type { Scheduler, Timer } from "@starcast/core";
import { toStoreError } from "./nats-error.ts";
import type { NatsLink } from "./nats-link.ts";

export interface StreamLookOptions {
  readonly link: NatsLink;
  readonly scheduler: Scheduler;
  readonly stream: string;
}

/** What the leader of a stream says of it; with copies, not believed at once when it would mean that something was lost. */
export class StreamLook {
  readonly #options: StreamLookOptions;
  #waiting: { readonly timer: Timer; readonly over: Promise<void>; readonly end: () => void } | null = null;

  constructor(options: StreamLookOptions) {
    this.#options = options;
  }

  /** Asks again, after a while, where a stream with copies ends before what was seen of it, until it grows no more. */
  async take(seen: number): Promise<StreamInfo> {
    let info = await this.#ask();
    if (info.config.num_replicas === 1) return info;
    for (let end = -1; info.state.last_seq < seen && info.state.last_seq > end;) {
      end = info.state.last_seq;
      await this.#settled();
      info = await this.#ask();
    }
    return info;
  }

  close(): void {
    this.#waiting?.timer.cancel();
    this.#waiting?.end();
  }

  async #ask(): Promise<StreamInfo> {
    const { link, stream } = this.#options;
    try {
      return await link.manager.streams.info(stream);
    } catch (error) {
      throw toStoreError(error, `look at stream \`${stream}\``);
    }
  }

  // A leader that was just elected answers before it has gone through all that it has.
  #settled(): Promise<void> {
    if (this.#waiting === null) {
      let end = (): void => undefined;
      const over = new Promise<void>((resolve) => {
        end = () => {
          this.#waiting = null;
          resolve();
        };
      });
      this.#waiting = { over, end, timer: this.#options.scheduler.after(settledAfterMs, end) };
    }
    return this.#waiting.over;
  }
}

const settledAfterMs = 2_000;
