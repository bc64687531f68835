import { describe, expect, it } from "vitest";
import { connectionRefused, publicationRefused } from "./reason-codes.ts";

describe("a refused connection", () => {
  it.each([
    [0x86, "not_authorized", "credentials"],
    [0x87, "not_authorized", "credentials"],
    [0x84, "unsupported", "version"],
    [0x8e, "name_taken", "wait"],
    [0x89, "overloaded", "retry"],
    [0xff, "connection_failed", "retry"],
    [1, "unsupported", "version"],
    [2, "not_authorized", "wait"],
    [3, "connection_failed", "retry"],
    [4, "not_authorized", "credentials"],
    [5, "not_authorized", "credentials"],
  ])("with code %i is %s, and the remedy is %s", (reasonCode, code, remedy) => {
    expect(connectionRefused(reasonCode)).toMatchObject({ code, remedy, reasonCode });
  });

  it("says what came, and what to do", () => {
    expect(connectionRefused(0x8e).message).toBe(
      "Expected the MQTT broker to keep the connection, got reason code 0x8e (session taken over): two publishers share one `connection.clientId`: give each its own",
    );
  });
});

describe("a refused publication", () => {
  it.each([0x90, 0x95, 0x99])("is given up with code %i, which is about itself", (reasonCode) => {
    expect(publicationRefused(reasonCode).remedy).toBe("drop");
  });

  it.each([
    [0x80, "retry"],
    [0x83, "retry"],
    [0x87, "wait"],
    [0x91, "retry"],
    [0x97, "retry"],
  ])("is kept and offered again with code %i, soon or later (%s)", (reasonCode, remedy) => {
    expect(publicationRefused(reasonCode).remedy).toBe(remedy);
  });
});
