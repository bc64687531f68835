import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../free-port.ts";

/** A load balancer in front of these ports, with the very settings of docs/scaling.md. */
export async function startNginx(
  program: string,
  ports: readonly number[],
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "starcast-nginx-"));
  const port = await freePort();
  const documented = await readSettings(port, ports);
  await writeFile(
    join(folder, "nginx.conf"),
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  ${documented}
}`,
  );
  const child: ChildProcess = spawn(program, ["-c", join(folder, "nginx.conf"), "-p", folder], { stdio: "ignore" });
  await listening(port, child);
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What the document has users write, but for the addresses. */
async function readSettings(port: number, ports: readonly number[]): Promise<string> {
  const document = await readFile(new URL("../../../docs/scaling.md", import.meta.url), "utf8");
  const block = /```nginx\n([^`]*)```/.exec(document)?.[1] ?? "";
  const server = /server 10\.0\.0\.\d+:8080/g;
  if (block.match(server)?.length !== ports.length || !block.includes("listen 80;"))
    throw new Error(`Expected ${ports.length} servers and a port in the nginx settings of docs/scaling.md`);
  const each = ports.values();
  return block
    .replace(server, () => `server 127.0.0.1:${each.next().value}`)
    .replace("listen 80;", `listen 127.0.0.1:${port};`);
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const socket = connect(port, "127.0.0.1");
    const isUp = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Expected nginx to run, got exit ${child.exitCode}`);
}
