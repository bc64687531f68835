import { readDemoOptionsOrExit } from "./demo-options.ts";
import { isSupervised, supervise } from "./supervise.ts";

const options = readDemoOptionsOrExit(process.argv.slice(2), process.env);

// A demo with a page can be killed and started again by a button of it; the check is one process.
if (options.isOnce || isSupervised()) await (await import("./demo.ts")).runDemo(options);
else process.exitCode = await supervise(new URL(import.meta.url), process.argv.slice(2));
