import { describe, expect, it } from "vitest";
import { ReplySubjects } from "./reply-subjects.ts";

describe("reply subjects", () => {
  it("are used again once their message has its place, and remember it", () => {
    const replies = new ReplySubjects("_INBOX.a.");
    const first = replies.take();
    expect(first).toEqual({ subject: "_INBOX.a.1", number: 1, lastSequence: 0 });
    expect(replies.take().subject).toBe("_INBOX.a.2");
    replies.giveBack(first, 42);
    expect(replies.take()).toEqual({ subject: "_INBOX.a.1", number: 1, lastSequence: 42 });
  });

  it("are new for who asks for that, and for everybody after trouble", () => {
    const replies = new ReplySubjects("_INBOX.a.");
    replies.giveBack(replies.take(), 1);
    expect(replies.takeNew().number).toBe(2);
    replies.forget();
    expect(replies.take().number).toBe(3);
  });

  it("are told apart by their number", () => {
    const replies = new ReplySubjects("_INBOX.a.");
    expect(replies.numberOf(replies.take().subject)).toBe(1);
    expect(replies.numberOf("_INBOX.a.x")).toBeNaN();
  });
});
