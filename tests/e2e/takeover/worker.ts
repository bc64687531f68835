// A process with a durable subscription that every worker shares: one at a time is handed the events.
import { Broker, untilSignal } from "@starcast/core";
import { JetStreamStore } from "@starcast/nats";

const [servers = ""] = process.argv.slice(2);
const broker = new Broker({ store: await JetStreamStore.open({ servers }), observe: [], leaseMs: 1_000 });
broker.subscribe(async ({ data }) => void process.send?.(data), { name: "worker", from: "earliest" });
await broker.run({ signal: untilSignal("SIGTERM") });
process.disconnect();
