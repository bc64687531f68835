import type { Driver, Statement } from "./driver.ts";

/** A few values about the file itself, by name. */
export class Meta {
  readonly #get: Statement;
  readonly #put: Statement;

  constructor(driver: Driver) {
    this.#get = driver.prepare("SELECT value FROM meta WHERE key = ?");
    this.#put = driver.prepare(
      "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
  }

  text(key: string): string | null {
    const value = this.#get.get(key)?.["value"];
    return typeof value === "string" ? value : null;
  }

  number(key: string): number {
    return Number(this.text(key) ?? 0);
  }

  put(key: string, value: string | number): void {
    this.#put.run(key, String(value));
  }
}
