import { StarcastError, type Position } from "@starcast/core";
import { fakeSurroundings, forEachSeed } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { InFlightWindow, type InFlightItem } from "./in-flight-window.ts";
import type { Message } from "./message.ts";

type Answer = (error: StarcastError | null) => void;

function arrange(limit: number) {
  const surroundings = fakeSurroundings(1);
  const acknowledged: number[] = [];
  const refused: (string | null)[] = [];
  const items: InFlightItem[] = [];
  const overdue: string[] = [];
  /** What is sent at once in the stead of the next that is refused. */
  const inStead: (readonly Message[])[] = [];
  let rooms = 0;
  const window = new InFlightWindow({
    ackTimeoutMs: 1_000,
    surroundings,
    onAcknowledged: ({ offset }) => acknowledged.push(offset),
    onRoom: () => (rooms += 1),
    onRefused: (_error, item) => {
      items.push(item);
      refused.push(item.label);
      const messages = inStead.shift();
      if (messages !== undefined) window.replace(item, messages);
    },
    onOverdue: ({ message }) => overdue.push(message),
  });
  const sent: { readonly topic: string; readonly answer: Answer }[] = [];
  const open = (): void =>
    window.open(limit, ({ topic, qos }, answer) => void (qos === 0 ? answer(null) : sent.push({ topic, answer })));
  open();
  const topics = (): readonly string[] => sent.map(({ topic }) => topic);
  const answer = (index: number): void => sent[index]?.answer(null);
  return {
    window,
    surroundings,
    acknowledged,
    refused,
    items,
    inStead,
    overdue,
    sent,
    topics,
    answer,
    open,
    rooms: () => rooms,
  };
}

function at(offset: number): Position {
  return { epoch: "e", offset };
}

function message(topic: string, qos: 0 | 1 | 2 = 1): Message {
  return { topic, payload: "", qos, retain: false };
}

describe("a window of publications in flight", () => {
  it("is full at its limit, and has room after an acknowledgement", () => {
    const { window, answer, rooms } = arrange(2);
    window.take(at(1), [message("a")]);
    expect(window.isFull).toBe(false);
    window.take(at(2), [message("b")]);
    expect(window.isFull).toBe(true);
    answer(0);
    expect([window.isFull, rooms()]).toEqual([false, 1]);
  });

  it("says that it has room once that is an eighth of it, and in the end always", () => {
    const { window, answer, rooms } = arrange(16);
    for (let n = 1; n <= 16; n += 1) window.take(at(n), [message(`${n}`)]);
    answer(0);
    expect([window.isFull, rooms()]).toEqual([false, 0]);
    answer(1);
    expect(rooms()).toBe(1);
    for (let n = 2; n < 16; n += 1) answer(n);
    expect([window.size, rooms()]).toEqual([0, 15]);
  });

  it("holds back what is above the limit, and sends it before anything that is taken later", () => {
    const { window, topics, answer } = arrange(1);
    window.take(at(1), [message("event"), message("state")]);
    window.take(at(2), [message("next")]);
    expect(topics()).toEqual(["event"]);
    answer(0);
    answer(1);
    expect(topics()).toEqual(["event", "state", "next"]);
  });

  it("acknowledges what was taken together only when all of it is done", () => {
    const { window, acknowledged, answer } = arrange(5);
    window.take(at(1), [message("event"), message("state")]);
    answer(1);
    expect(acknowledged).toEqual([]);
    answer(0);
    expect(acknowledged).toEqual([1]);
  });

  it("acknowledges in order whatever the order of the answers, and what needs none at once", async () => {
    await forEachSeed(50, (random) => {
      const { window, acknowledged, sent } = arrange(100);
      const expected: number[] = [];
      const waiting: number[] = [];
      let answers = 0;
      for (let offset = 1; offset <= 60; offset += 1) {
        const messages = Array.from({ length: random.integer(0, 2) }, (_, index) =>
          message(`${offset}-${index}`, random.integer(0, 3) === 0 ? 0 : 1),
        );
        window.take(at(offset), messages);
        expected.push(offset);
        for (; answers < sent.length; answers += 1) waiting.push(answers);
        while (waiting.length > 0 && random.integer(0, 1) === 0) {
          const [index = 0] = waiting.splice(random.integer(0, waiting.length - 1), 1);
          sent[index]?.answer(null);
        }
      }
      for (const index of waiting) sent[index]?.answer(null);
      expect(acknowledged.at(-1)).toBe(60);
      expect(acknowledged).toEqual(acknowledged.toSorted((a, b) => a - b));
      expect(window.isEmpty).toBe(true);
      expect(window.size).toBe(0);
    });
  });

  it("ignores answers that come after the connection has ended", () => {
    const { window, acknowledged, answer, open, rooms } = arrange(1);
    window.take(at(1), [message("a")]);
    window.close();
    answer(0);
    open();
    window.take(at(1), [message("a")]);
    answer(0);
    expect([acknowledged, rooms(), window.size]).toEqual([[], 0, 1]);
    answer(1);
    expect(acknowledged).toEqual([1]);
  });

  it("keeps what was refused until something is sent in its stead", () => {
    const { window, acknowledged, refused, items, sent, answer } = arrange(5);
    window.take(at(1), [message("event"), message("state")], "one");
    sent[0]?.answer(new StarcastError("overloaded", "no"));
    expect(refused).toEqual(["one"]);
    answer(1);
    expect(acknowledged).toEqual([]);
    window.take(at(2), []);
    window.replace(items[0] ?? { through: null, label: "" }, [message("notice")]);
    expect(acknowledged).toEqual([]);
    answer(2);
    expect(acknowledged).toEqual([2]);
  });

  it("does not take the answer to what was given up for one to what came in its stead", () => {
    const { window, acknowledged, items, sent, answer } = arrange(5);
    window.take(at(1), [message("event"), message("state")]);
    sent[0]?.answer(new StarcastError("overloaded", "no"));
    window.replace(items[0] ?? { through: null, label: "" }, [message("notice")]);
    answer(1);
    expect([acknowledged, window.size]).toEqual([[], 1]);
    answer(2);
    expect([acknowledged, window.isEmpty]).toEqual([[1], true]);
  });

  it("sends nothing more of what was given up", () => {
    const { window, acknowledged, inStead, sent, topics, answer } = arrange(1);
    window.take(at(1), [message("event"), message("state")]);
    inStead.push([message("notice")]);
    sent[0]?.answer(new StarcastError("overloaded", "no"));
    answer(1);
    expect([topics(), acknowledged, window.isEmpty]).toEqual([["event", "notice"], [1], true]);
  });

  it("says how long the oldest has waited when it has waited too long", async () => {
    const { window, surroundings, overdue, answer } = arrange(5);
    window.take(at(1), [message("a")]);
    await surroundings.advance(600);
    window.take(at(2), [message("b")]);
    answer(0);
    await surroundings.advance(600);
    expect(overdue).toEqual([]);
    await surroundings.advance(400);
    expect(overdue).toEqual(["Expected the MQTT broker to acknowledge within 1000 ms, got nothing for 1000 ms"]);
    window.close();
    expect(surroundings.timerCount).toBe(0);
  });

  it("tells who waits for it to be empty, or for room, when the connection ends", async () => {
    const { window } = arrange(1);
    window.take(at(1), [message("a")]);
    const waiting = Promise.all([window.empty(), window.room()]);
    window.close();
    await waiting;
    await window.empty();
  });
});
