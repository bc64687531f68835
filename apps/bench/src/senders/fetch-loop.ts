// What is written first: one webhook after the other, signed by npm standardwebhooks, by the built-in fetch.
import { makeKey } from "@starcast/standard-webhooks";
import { Webhook } from "standardwebhooks";
import { envelope, origin, serveSender } from "./sender.ts";

const webhook = new Webhook(makeKey());
let offset = 0;

serveSender(async (count) => {
  for (let sent = 0; sent < count; sent += 1) {
    offset += 1;
    const id = `abcd1234-${offset}`;
    const at = new Date();
    const body = envelope(offset);
    const answer = await fetch(`${origin}/hook`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
        "webhook-signature": webhook.sign(id, at, body),
      },
      body,
    });
    await answer.arrayBuffer();
    if (answer.status !== 204) throw new Error(`Expected 204, got ${answer.status}`);
  }
});
