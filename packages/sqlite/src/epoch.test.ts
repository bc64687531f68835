import { describe, expect, it } from "vitest";
import { mayHaveLostTail, type EpochFacts } from "./epoch.ts";

const whole: EpochFacts = {
  epoch: "k3f9x2a1",
  identity: "file1",
  head: 10,
  isCleanlyClosed: true,
  wasDurable: false,
  bootId: "boot-1",
  currentBootId: "boot-1",
  sidecar: { identity: "file1", head: 10 },
};
const killed = { isCleanlyClosed: false };
const rebooted = { currentBootId: "boot-2" };

describe("a file that is opened again", () => {
  it.each<[string, Partial<EpochFacts>]>([
    ["was closed", {}],
    ["was closed, and the machine has started anew since", rebooted],
    ["was killed", killed],
    [
      "was killed with everything on disk, and the machine has started anew since",
      { ...killed, ...rebooted, wasDurable: true },
    ],
    ["is ahead of what lies beside it", { head: 11 }],
    ["is new", { epoch: null, identity: null, head: 0, sidecar: null }],
    ["is new, beside what is left of another", { epoch: null, identity: null, head: 0 }],
  ])("has lost nothing if it %s", (_, facts) => {
    expect(mayHaveLostTail({ ...whole, ...facts })).toBe(false);
  });

  it.each<[string, Partial<EpochFacts>]>([
    ["was killed, and the machine has started anew since", { ...killed, ...rebooted }],
    ["was killed by a version that did not say where", { ...killed, bootId: null }],
    ["is behind what lies beside it", { head: 9 }],
    ["is behind, with everything on disk", { head: 9, wasDurable: true }],
    ["is another file", { identity: "file2" }],
    ["is alone", { sidecar: null }],
    ["is alone and empty", { sidecar: null, head: 0 }],
  ])("may have lost its tail if it %s", (_, facts) => {
    expect(mayHaveLostTail({ ...whole, ...facts })).toBe(true);
  });
});
