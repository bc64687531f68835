/** A column whose receiver runs in the demo's process, since no page can be one; the status stream says how it is. */
export class ReportedColumn {
  books = { position: null, offset: null, received: 0, repeated: 0, lost: 0, told: 0, recent: [] };
  state = "connecting";
  isUp = true;

  /** Takes its part of a status report; `newest` are the events since the report before. */
  take({ position, offset, received, repeated, lost, told, isUp, isConnected, newest }) {
    const recent = [...newest.toReversed(), ...this.books.recent].slice(0, 12);
    this.books = { position, offset, received, repeated, lost, told, recent };
    this.isUp = isUp;
    this.state = !isUp ? "stopped" : isConnected ? "live" : "waiting";
  }
}
