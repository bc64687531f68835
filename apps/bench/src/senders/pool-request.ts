// The floor: requests of the same bytes, signed once and for all, over an undici Pool.
import { makeKey, sign } from "@starcast/standard-webhooks";
import { Pool } from "undici";
import { connections, envelope, origin, serveSender } from "./sender.ts";

const pool = new Pool(origin, { connections, pipelining: 1 });
const body = Buffer.from(envelope(1_042));
const headers = {
  "user-agent": "starcast-webhook",
  "content-type": "application/json",
  ...(await sign({ id: "abcd1234-1042", timestamp: Date.now(), body, keys: makeKey() })),
};

serveSender(async (count) => {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const answer = await pool.request({ method: "POST", path: "/hook", headers, body });
      await answer.body.dump();
      if (answer.statusCode !== 204) throw new Error(`Expected 204, got ${answer.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
});
