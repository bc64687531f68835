import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, it } from "vitest";

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

/**
 * A `describe` whose tests start an installed program. Where it is absent they are skipped and the closing summary
 * names them; under STARCAST_REQUIRE_SERVICES=1 they fail instead.
 */
export function describeWith(name: ServiceName, title: string, tests: (path: string) => void): void {
  const path = findService(name);
  if (path !== undefined) {
    describe(title, () => tests(path));
  } else if (process.env["STARCAST_REQUIRE_SERVICES"] === "1") {
    describe(title, () => {
      it(`finds ${name}`, () => {
        throw new Error(
          `Expected ${name} to be installed because STARCAST_REQUIRE_SERVICES=1, found it nowhere on PATH`,
        );
      });
    });
  } else {
    describe.skip(`${title} (needs ${name})`, () => tests(name));
  }
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
