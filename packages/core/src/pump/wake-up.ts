import type { Scheduler, Timer } from "../clock.ts";

/** When the next tick comes: in the next turn, or at the end of the flush window; never twice for the same reason. */
export class WakeUp {
  readonly #scheduler: Scheduler;
  readonly #flushMs: number;
  readonly #tick: () => void;
  #timer: Timer | null = null;
  #isTurnComing = false;
  #isClosed = false;

  constructor(options: { readonly scheduler: Scheduler; readonly flushMs: number; readonly tick: () => void }) {
    this.#scheduler = options.scheduler;
    this.#flushMs = options.flushMs;
    this.#tick = options.tick;
  }

  /** Something was committed. */
  flush(): void {
    if (this.#flushMs === 0) return this.now();
    if (this.#isClosed) return;
    this.#timer ??= this.#scheduler.after(this.#flushMs, this.#tick, { holdsProcess: true });
  }

  /** A cursor is ready: in the next turn. */
  now(): void {
    if (this.#isTurnComing || this.#isClosed) return;
    this.#isTurnComing = true;
    this.#scheduler.nextTurn(() => {
      this.#isTurnComing = false;
      this.#tick();
    });
  }

  /** A tick is here; what the flush window was waiting for goes out with it. */
  arrived(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  close(): void {
    this.#isClosed = true;
    this.arrived();
  }
}
