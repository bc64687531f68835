import { createServer } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { listen } from "../services/listen.ts";
import { Controls, maxOrderBytes } from "./controls.ts";
import type { Orders } from "./controls.ts";
import { OrderError } from "./order-error.ts";
import { readOwnModel } from "./own-model.ts";

const ends: (() => unknown)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function controls(orders: Orders) {
  const answering = new Controls(orders);
  const server = createServer((request, response) => void answering.answer(request, response));
  ends.push(() => server.close());
  const origin = await listen(server, { host: "127.0.0.1", port: 0 });
  return async (body: string, type = "application/json") => {
    const answer = await fetch(origin, { method: "POST", headers: { "content-type": type }, body });
    const text = await answer.text();
    return { status: answer.status, code: text === "" ? null : (JSON.parse(text) as { code: string }).code };
  };
}

describe("the controls", () => {
  it("carry out an order with what came with it", async () => {
    const seen: unknown[] = [];
    const post = await controls(new Map([["catalog publish", (input) => seen.push(input["name"])]]));
    expect(await post(JSON.stringify({ what: "catalog", action: "publish", name: "x" }))).toEqual({
      status: 204,
      code: null,
    });
    expect(seen).toEqual(["x"]);
  });

  it.each([
    ["what is no JSON", "{", "application/json", 400, "invalid_input"],
    ["no object", "7", "application/json", 400, "invalid_input"],
    ["an order nobody gives", `{"what":"toString","action":""}`, "application/json", 400, "unknown_order"],
    ["another type", "{}", "text/plain", 415, "not_json"],
    ["more than an order", JSON.stringify("x".repeat(maxOrderBytes)), "application/json", 413, "too_large"],
  ])("refuse %s", async (_, body, type, status, code) => {
    const post = await controls(new Map());
    expect(await post(body, type)).toEqual({ status, code });
  });

  it("say why an order failed, and repeat nothing of a foreign error", async () => {
    const post = await controls(
      new Map<string, () => unknown>([
        ["a b", () => Promise.reject(new Error("token hunter2"))],
        [
          "c d",
          () => {
            throw new OrderError("not_possible", "Not now");
          },
        ],
      ]),
    );
    expect(await post(`{"what":"a","action":"b"}`)).toEqual({ status: 503, code: "failed" });
    expect(await post(`{"what":"c","action":"d"}`)).toEqual({ status: 409, code: "not_possible" });
  });
});

describe("a visitor's own model", () => {
  it("keeps any text as its name, and makes a key of it", () => {
    expect(readOwnModel({ name: " <b>My Model</b> ", price: 1.5 })).toEqual({
      provider: "your-models",
      id: "b-my-model-b",
      name: "<b>My Model</b>",
      prices: { input_mtok: 1.5 },
    });
    expect(readOwnModel({ name: "Ω", price: 0 }).id).toBe("unnamed");
  });

  it.each([
    { name: "", price: 1 },
    { name: "x".repeat(81), price: 1 },
    { name: 7, price: 1 },
    { name: "x", price: -1 },
    { name: "x", price: Number.NaN },
    { name: "x", price: "1" },
    { name: "x", price: 10_001 },
  ])("is refused for %j", (input) => {
    expect(() => readOwnModel(input)).toThrow(OrderError);
  });
});
