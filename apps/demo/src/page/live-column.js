import { Books } from "./books.js";

/** A column whose connection this page holds itself: live, stalled, dropped, or waiting to connect again. */
export class LiveColumn {
  books = new Books();
  #connect;
  #connection = null;
  #state = "connecting";
  #retry = null;
  #onChange;

  /** `connect(after, on)` opens a connection that has `stall`, `unstall` and `close`. */
  constructor(connect, onChange) {
    this.#connect = connect;
    this.#onChange = onChange;
    this.resume();
  }

  get state() {
    return this.#state;
  }

  get isUp() {
    return this.#state !== "dropped";
  }

  drop() {
    this.#end("dropped");
  }

  resume() {
    this.#end("connecting");
    const connection = this.#connect(this.books.position ?? "earliest", {
      frame: (frame) => {
        if (connection !== this.#connection) return;
        if (this.#state === "connecting") this.#set("live");
        this.books.take(frame);
        this.#onChange();
      },
      end: () => {
        if (connection !== this.#connection) return;
        this.#end("waiting");
        this.#retry = setTimeout(() => this.resume(), 500 + Math.random() * 1_500);
      },
    });
    this.#connection = connection;
  }

  stall() {
    this.#connection?.stall();
    this.#set("stalled");
  }

  unstall() {
    this.#connection?.unstall();
    this.#set("live");
  }

  #end(state) {
    clearTimeout(this.#retry);
    this.#connection?.close();
    this.#connection = null;
    this.#set(state);
  }

  #set(state) {
    this.#state = state;
    this.#onChange();
  }
}
