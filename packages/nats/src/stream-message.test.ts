import { describe, expect, it } from "vitest";
import { placeOf } from "./stream-message.ts";

const place = { sequence: 42, consumerSequence: 7, storedAt: "1767323045123456789" };

describe("the place of a message", () => {
  it.each([
    ["of a server without domains", "$JS.ACK.starcast.c1.1.42.7.1767323045123456789.9"],
    ["with a domain and an account", "$JS.ACK.hub.ACC.starcast.c1.1.42.7.1767323045123456789.9.tok"],
    ["with an empty domain", "$JS.ACK._.ACC.starcast.c1.1.42.7.1767323045123456789.9.tok"],
  ])("is read from the reply subject %s", (_, reply) => {
    expect(placeOf(reply)).toEqual(place);
  });

  it.each([undefined, "", "_INBOX.abc", "$JS.FC.starcast.c1.x", "$JS.ACK.starcast.c1.1.42.7"])(
    "is none in %j",
    (reply) => {
      expect(placeOf(reply)).toBeNull();
    },
  );
});
