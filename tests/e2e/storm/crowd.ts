import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { addReports, emptyReport, type Asked, type Orders, type Report, type Said } from "./report.ts";

/** Clients in processes of their own, one per door of the house. Whatever happens to them, there is a report. */
export class Crowd {
  readonly #members: readonly Member[];

  constructor(orders: readonly Orders[]) {
    this.#members = orders.map((order) => new Member(order));
    onTestFinished(() => this.#members.forEach((member) => member.end()));
  }

  /** False when they did not come in within this time. */
  async connected(withinMs: number): Promise<boolean> {
    const said = await Promise.all(this.#members.map((member) => member.hears("connected", withinMs)));
    return said.every((each) => each !== null);
  }

  /** From now on they lose connections. */
  shake(): void {
    this.#members.forEach((member) => member.ask({ kind: "shake" }));
  }

  report(): Promise<Report> {
    return this.#gather({ kind: "report" }, 10_000);
  }

  /** No more losses; all come back, and have `withinMs` to come to this offset. */
  settle(offset: number, withinMs: number): Promise<Report> {
    return this.#gather({ kind: "settle", offset, withinMs }, withinMs + 30_000);
  }

  async #gather(asked: Asked, withinMs: number): Promise<Report> {
    const reports = await Promise.all(
      this.#members.map(async (member) => {
        const answer = member.hears("report", withinMs);
        member.ask(asked);
        return (await answer) ?? member.silent();
      }),
    );
    return reports.reduce<Report>(addReports, emptyReport);
  }
}

class Member {
  readonly #child: ChildProcess;
  readonly #clients: number;
  #ended: string | null = null;

  constructor(orders: Orders) {
    this.#clients = orders.clients;
    this.#child = fork(fileURLToPath(new URL("crowd-process.ts", import.meta.url)), [JSON.stringify(orders)], {
      // Where `tsx` is found.
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      execArgv: ["--conditions=@starcast/source", "--import", "tsx"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.once("exit", (code, signal) => (this.#ended = `ended with ${signal ?? code}`));
  }

  ask(asked: Asked): void {
    if (this.#child.connected) this.#child.send(asked);
  }

  /** The next of this kind it says; null if it ends or takes too long. */
  hears<Kind extends Said["kind"]>(kind: Kind, withinMs: number): Promise<Extract<Said, { kind: Kind }> | null> {
    return new Promise((resolve) => {
      const end = (said: Extract<Said, { kind: Kind }> | null): void => {
        clearTimeout(timer);
        this.#child.off("message", onMessage).off("exit", onExit);
        resolve(said);
      };
      const onMessage = (said: Said): void => {
        if (isOf(said, kind)) end(said);
      };
      const onExit = (): void => end(null);
      const timer = setTimeout(onExit, withinMs);
      this.#child.on("message", onMessage).once("exit", onExit);
      if (this.#ended !== null) end(null);
    });
  }

  /** What is known of clients that nobody speaks for. */
  silent(): Report {
    const why = this.#ended ?? "did not answer in time";
    return {
      ...emptyReport,
      clients: this.#clients,
      behind: this.#clients,
      faults: [`a process of ${this.#clients} clients ${why}`],
    };
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

function isOf<Kind extends Said["kind"]>(said: Said, kind: Kind): said is Extract<Said, { kind: Kind }> {
  return said.kind === kind;
}
