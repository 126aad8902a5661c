export type { Progress } from "./blob.ts";
export { type HubOptions, hubFile } from "./file.ts";
export { type HubInfo, hubInfo } from "./info.ts";
export { licenseLine, type Pretrained, parseHubName, type ResolveOptions, resolvePretrained } from "./resolve.ts";
export { hubSnapshot, type Snapshot } from "./snapshot.ts";
