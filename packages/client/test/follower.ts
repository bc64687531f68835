import { connect, type ClientEvent, type ClientGap, type ClientState, type ConnectOptions } from "@starcast/client";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { modelEvents, type ModelEvents } from "./models.ts";
import { waker } from "./waker.ts";

export type Told = { readonly event: ClientEvent } | { readonly gap: ClientGap };

/** A client of the package that keeps everything it was told. */
export class Follower {
  readonly client;
  readonly told: Told[] = [];
  readonly states: ClientState[] = [];
  readonly warnings: string[] = [];
  readonly #waker = waker();

  constructor(options: ConnectOptions<ModelEvents>) {
    this.client = connect<ModelEvents>({
      events: modelEvents,
      ...options,
      // Node 20 has none of its own.
      runtime: {
        webSocket: WebSocket as never,
        warn: (message) => void this.warnings.push(message),
        ...options.runtime,
      },
    });
    this.client.on("**", (event) => this.#note({ event }));
    this.client.on("gap", (gap) => this.#note({ gap }));
    this.client.on("state", (state) => {
      this.states.push(state);
      this.#waker.wake();
    });
    onTestFinished(() => this.client.close());
  }

  get numbers(): readonly number[] {
    return this.told.flatMap((each) => ("event" in each ? [(each.event.data as { readonly n: number }).n] : []));
  }

  get gaps(): readonly ClientGap[] {
    return this.told.flatMap((each) => ("gap" in each ? [each.gap] : []));
  }

  /** Resolves once it is so; hangs until the test's timeout otherwise. */
  until<Value>(look: () => Value | undefined | false): Promise<Value> {
    return this.#waker.until(look);
  }

  untilNumber(n: number): Promise<boolean> {
    return this.until(() => this.numbers.at(-1) === n);
  }

  untilState<Kind extends ClientState["kind"]>(kind: Kind): Promise<ClientState & { readonly kind: Kind }> {
    return this.until(() => {
      const { state } = this.client;
      // Just compared.
      return state.kind === kind ? (state as ClientState & { readonly kind: Kind }) : undefined;
    });
  }

  #note(told: Told): void {
    this.told.push(told);
    this.#waker.wake();
  }
}
