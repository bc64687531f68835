// Fails when a tarball would not work for those who install it: publint reads the files, attw resolves the types.
import { spawnSync } from "node:child_process";
import { packAll } from "./pack.mjs";

const problems = [];
for (const [name, tarball] of Object.entries(packAll())) {
  for (const command of [
    ["publint", "--strict", tarball],
    ["attw", "--profile", "esm-only", "--no-emoji", "--format", "ascii", tarball],
  ]) {
    const { status, stdout, stderr } = spawnSync(command[0], command.slice(1), {
      encoding: "utf8",
      shell: process.platform === "win32",
    });
    if (status !== 0) problems.push(`${name}: ${command.join(" ")}\n${stdout}${stderr}`);
  }
}
console.log(problems.join("\n") || "packed packages ok");
process.exitCode = problems.length === 0 ? 0 : 1;
