import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A certificate for this machine that is its own authority, in files, made for one test. */
export async function makeCertificates(openssl: string): Promise<{
  readonly cert: string;
  readonly key: string;
  remove(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "starcast-certificates-"));
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  const name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await run(openssl, ["req", "-x509", ...kind, ...name, "-keyout", key, "-out", cert]);
  return { cert, key, remove: () => rm(folder, { recursive: true }) };
}
