import { describe, expect, it } from "vitest";
import { defineEvents, event, openVocabulary, type StandardSchema } from "./vocabulary.ts";

describe("a vocabulary", () => {
  const events = defineEvents({
    "model.deleted": event<{ model: { id: string } }>({ subject: ({ model }) => model.id, state: () => undefined }),
    "model.added": event<{ model: { id: string } }>({ subject: ({ model }) => model.id, state: ({ model }) => model }),
    "sync.started": event<void>(),
  });

  it("knows its types, their subjects and their states", () => {
    const data = { model: { id: "openai/x" } };
    expect(events.types).toEqual(["model.deleted", "model.added", "sync.started"]);
    expect(events.subjectOf("model.added", data)).toBe("openai/x");
    expect(events.stateOf("model.added", data)).toEqual({ id: "openai/x" });
    expect(events.stateOf("model.deleted", data)).toBeUndefined();
    expect(["model.deleted", "sync.started"].map((type) => events.hasState(type))).toEqual([true, false]);
    expect(events.has("modle.added")).toBe(false);
  });

  it("refuses a type that could not be published", () => {
    expect(() => defineEvents({ "client.hello": event() })).toThrow(
      expect.objectContaining({ code: "invalid_event_type" }),
    );
    expect(() => defineEvents({ "a.b": 7 as never })).toThrow(expect.objectContaining({ code: "invalid_option" }));
  });
});

describe("a validator", () => {
  it("gives its output, not its input", () => {
    const trimming = schema((value) => ({ value: String(value).trim() }));
    expect(defineEvents({ "a.b": trimming }).validate("a.b", " x ")).toBe("x");
    expect(defineEvents({ "a.b": event(trimming, { subject: (text) => text }) }).subjectOf("a.b", "x")).toBe("x");
  });

  it("that refuses says where", () => {
    const strict = schema(() => ({ issues: [{ message: "must be positive", path: ["price", { key: "input" }] }] }));
    expect(() => defineEvents({ "a.b": strict }).validate("a.b", {})).toThrow(/price\.input must be positive/);
  });

  it("that is asynchronous is refused, and its late rejection harms nobody", () => {
    const late = schema(() => Promise.reject(new Error("late")) as never);
    expect(() => defineEvents({ "a.b": late }).validate("a.b", {})).toThrow(
      expect.objectContaining({ code: "unsupported" }),
    );
  });
});

describe("the open vocabulary", () => {
  it("lets every type through and knows nothing of it", () => {
    expect(openVocabulary.isClosed).toBe(false);
    expect(openVocabulary.validate("a.b", 1)).toBe(1);
    expect(openVocabulary.subjectOf("a.b", 1)).toBeUndefined();
  });
});

function schema<Output>(validate: StandardSchema<Output>["~standard"]["validate"]): StandardSchema<Output> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

describe("a trait that is unknown", () => {
  it("is refused, naming the nearest", () => {
    expect(() => event({ subjects: () => "x" } as never)).toThrow(/subjects.*did you mean `subject`/);
  });
});
