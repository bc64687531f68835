import type { Options } from "tsup";
import shared from "../../tsup.config.ts";

/** As every package, plus the two files behind `#crypto`, which the user's runtime or bundler chooses from. */
const own: Options = {
  ...(shared as Options),
  entry: { index: "src/index.ts", "crypto-node": "src/crypto-node.ts", "crypto-web": "src/crypto-web.ts" },
  external: ["#crypto"],
  // `#crypto` must lead to a source here: its outputs have no types of their own.
  dts: {
    entry: "src/index.ts",
    compilerOptions: { ignoreDeprecations: "6.0", customConditions: ["@starcast/source"] },
  },
};

export default own;
