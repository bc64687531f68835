import { closeSync, constants, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";

/** Kept beside the file: a copy of the file that was put back is older than this. */
export interface Sidecar {
  readonly identity: string;
  readonly head: number;
}

/** What lies there; null when it is absent, torn or damaged. */
export function readSidecar(path: string): Sidecar | null {
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch {
    // Absent or unreadable: nothing is known, which `mayHaveLostTail` judges.
    return null;
  }
  const match = /^([A-Za-z0-9]{1,64}) (\d{1,16}) (\d{1,10}) *\n$/.exec(text);
  if (match === null) return null;
  const [, identity = "", head = "", crc = ""] = match;
  return crc32(`${identity} ${head}`) === Number(crc) ? { identity, head: Number(head) } : null;
}

/**
 * Writes it in place, always as many bytes: that needs no room on a full disk, tears nothing when the process is killed,
 * and is cheap enough for every commit (3 us).
 */
export class SidecarFile {
  readonly #identity: string;
  readonly #file: number;
  readonly #bytes: Buffer = Buffer.alloc(recordBytes);

  /** It is on disk, name and all, when this returns: what comes later only changes its bytes. */
  constructor(path: string, { identity, head }: Sidecar) {
    this.#identity = identity;
    // Not emptied first: a process killed in between would leave nothing.
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
    try {
      this.#write(head);
      ftruncateSync(this.#file, recordBytes);
      fsyncSync(this.#file);
      syncFolder(dirname(path));
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  /** Never throws: a mark that could not be written lags, and matters only if a copy of that moment is put back. */
  mark(head: number): void {
    try {
      this.#write(head);
    } catch {
      // The disk refuses bytes it already has; the commit that is told here is in the file all the same.
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(head: number): void {
    const text = `${this.#identity} ${head}`;
    this.#bytes.write(`${`${text} ${crc32(text)}`.padEnd(recordBytes - 1)}\n`, "latin1");
    writeSync(this.#file, this.#bytes, 0, recordBytes, 0);
  }
}

const recordBytes = 128;

function syncFolder(path: string): void {
  let folder: number;
  try {
    folder = openSync(path, "r");
  } catch {
    // Windows opens no folders; its file system keeps names by itself.
    return;
  }
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
