export * from "./index.ts";
export { replica } from "./replica/index.ts";
export { connectTabs } from "./tabs/index.ts";
