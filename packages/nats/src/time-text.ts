/** RFC 3339 text of a time; the same object for the same millisecond. */
export class TimeText {
  #at = -1;
  #text = "";

  of(ms: number): string {
    if (ms !== this.#at) {
      this.#at = ms;
      this.#text = new Date(ms).toISOString();
    }
    return this.#text;
  }
}
