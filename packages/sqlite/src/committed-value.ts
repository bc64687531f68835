/** A value in memory that follows the file: what the transaction being made says, and what holds when that does not happen. */
export class CommittedValue<Value> {
  /** In the transaction being made. */
  now: Value;
  #beforeWork: Value;
  #inFile: Value;

  constructor(inFile: Value) {
    this.now = inFile;
    this.#beforeWork = inFile;
    this.#inFile = inFile;
  }

  /** What the file says. */
  get inFile(): Value {
    return this.#inFile;
  }

  beforeWork(): void {
    this.#beforeWork = this.now;
  }

  /** The work that began last did not happen. */
  onUndone(): void {
    this.now = this.#beforeWork;
  }

  afterCommit(): void {
    this.#inFile = this.now;
  }

  rolledBack(): void {
    this.now = this.#inFile;
  }
}
