import { describe, expect, it } from "vitest";
import { readAskedFilter } from "./asked-filter.ts";
import { readResumePoint } from "./resume-point.ts";

const read = (query: string, lastEventId: string | null = null): unknown =>
  readResumePoint({ lastEventId, query: new URLSearchParams(query) });

describe("a resume point", () => {
  it("is the end where nothing is asked for", () => {
    expect(read("")).toBe("latest");
    expect(read("after=", "")).toBe("latest");
  });

  it.each(["lastEventId", "last_event_id", "after"])("is read from ?%s=", (name) => {
    expect(read(`${name}=k3f9-12`)).toEqual({ epoch: "k3f9", offset: 12 });
  });

  it("is that of the header before that of the query: a reconnect has seen more", () => {
    expect(read("lastEventId=k3f9-12", "k3f9-20")).toEqual({ epoch: "k3f9", offset: 20 });
  });

  it.each(["earliest", "latest"])("may be %s", (word) => {
    expect(read(`after=${word}`)).toBe(word);
  });

  it.each([
    "x",
    "k3f9",
    "k3f9-",
    "k3f9--1",
    "k3f9-01",
    "k3f9-99999999999999999999",
    "-1",
    "Latest",
    " k3f9-12",
    "é-1",
    "9".repeat(9_000),
  ])("that is %j is unreadable, which is told, never an error", (text) => {
    expect(read("", text)).toBe("unreadable");
  });
});

describe("the filter of a URL", () => {
  it("takes types by comma and by repetition, subjects by repetition", () => {
    const filter = readAskedFilter(new URLSearchParams("types=model.*, sync.*&types=a.b&subjects=a,b&subjects=c*"));
    expect(filter).toEqual({ types: ["model.*", "sync.*", "a.b"], subjects: ["a,b", "c*"] });
  });

  it("is everything where nothing is asked for", () => {
    expect(readAskedFilter(new URLSearchParams("types=&types=,&subjects="))).toEqual({
      types: undefined,
      subjects: undefined,
    });
  });
});
