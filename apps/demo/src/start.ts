// `npm run demo -- ...`: one process, or with `--cluster N` several of them on NATS.
if (process.argv.includes("--cluster")) await import("./cluster/cluster.ts");
else await import("./main.ts");

export {};
