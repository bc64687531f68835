import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
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
  bun: ["bun"],
  deno: ["deno"],
} as const;

export type ServiceName = keyof typeof services;

/** Where the program is installed, or `undefined`. */
export function findService(name: ServiceName): string | undefined {
  // Servers live in sbin, which is not on everyone's PATH.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  const onPath = services[name].flatMap((file) => folders.map((folder) => join(folder, file))).find(isExecutable);
  return onPath ?? findRuntime(name);
}

/** Another JavaScript runtime, where `node scripts/setup.mjs runtimes` has put it: in a package of the npm package. */
function findRuntime(name: ServiceName): string | undefined {
  const { platform, arch } = process;
  const files: Partial<Record<ServiceName, string>> = {
    bun: `@oven/bun-${platform}-${arch}/bin/bun`,
    deno: `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}/deno`,
  };
  const file = files[name];
  if (file === undefined) return undefined;
  try {
    const outer = createRequire(new URL("runtimes/package.json", import.meta.url)).resolve(`${name}/package.json`);
    return createRequire(outer).resolve(file);
  } catch {
    // Not installed, or not for this platform.
    return undefined;
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
