import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs that some tests start for themselves, by the names their packages install them under. */
const services = {
  mosquitto: ["mosquitto"],
  mosquitto_pub: ["mosquitto_pub"],
  mosquitto_sub: ["mosquitto_sub"],
  "nats-server": ["nats-server"],
  chromium: ["chromium", "chromium-headless-shell", "google-chrome"],
  nginx: ["nginx"],
  curl: ["curl"],
  openssl: ["openssl"],
  sqlite3: ["sqlite3"],
  strace: ["strace"],
} as const;

export type ServiceName = keyof typeof services;

/** Where the program is installed, or `undefined`. */
export function findService(name: ServiceName): string | undefined {
  // Servers live in sbin, which is not on everyone's PATH.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return services[name].flatMap((file) => folders.map((folder) => join(folder, file))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not here: the next folder may have it.
    return false;
  }
}
