import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { SqliteStore } from "@starcast/sqlite";
import { BookFile } from "./book-file.ts";
import { MqttDebts } from "./mqtt-debts.ts";

/** Everything the demo keeps over a restart: the broker's store, and what the receivers of its own have got. */
export class DurableFolder {
  readonly store: SqliteStore;
  readonly #path: string;
  readonly #files: { close(): void }[] = [];

  private constructor(path: string, store: SqliteStore) {
    this.#path = path;
    this.store = store;
  }

  /** Null for a demo that forgets. */
  static async open(path: string | null): Promise<DurableFolder | null> {
    if (path === null) return null;
    mkdirSync(path, { recursive: true });
    return new DurableFolder(path, await SqliteStore.open(join(path, "starcast.db")));
  }

  /** The same for each life of the folder, and another for each folder: what a session at an MQTT broker is found by. */
  get name(): string {
    return createHash("sha256").update(realpathSync(this.#path)).digest("hex").slice(0, 8);
  }

  /** Of a receiver: the ids that arrived. */
  book(receiver: string): BookFile {
    return this.#keep(new BookFile(join(this.#path, `received-${receiver.toLowerCase()}.txt`)));
  }

  mqttDebts(topics: string): MqttDebts {
    return this.#keep(new MqttDebts(join(this.#path, "mqtt-broker.txt"), topics));
  }

  /** Closes all but the store, which the broker does. */
  close(): void {
    for (const file of this.#files) file.close();
  }

  #keep<File extends { close(): void }>(file: File): File {
    this.#files.push(file);
    return file;
  }
}
