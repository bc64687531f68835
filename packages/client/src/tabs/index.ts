export { connectTabs } from "./connect-tabs.ts";
export type { ConnectTabsOptions } from "./connect-tabs.ts";
