import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";

/** A file that grows line by line; a line is with the system when `append` returns, so `kill -9` takes nothing back. */
export class LineFile {
  readonly #path: string;
  #file: number | null = null;
  #count: number;

  constructor(path: string) {
    this.#path = path;
    this.#count = this.read().length;
  }

  /** How many lines there are. */
  get count(): number {
    return this.#count;
  }

  read(): readonly string[] {
    return existsSync(this.#path) ? readFileSync(this.#path, "utf8").split("\n").slice(0, -1) : [];
  }

  append(line: string): void {
    this.#file ??= openSync(this.#path, "a");
    writeSync(this.#file, `${line}\n`);
    this.#count += 1;
  }

  /** These lines in the place of all; the old ones or the new ones are there, whatever happens. */
  rewrite(lines: readonly string[]): void {
    this.close();
    writeFileSync(`${this.#path}-new`, lines.map((line) => `${line}\n`).join(""));
    renameSync(`${this.#path}-new`, this.#path);
    this.#count = lines.length;
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}
