import type { Studio } from "./studio.ts";

/** The studio of an exported folder, whose description lies at that address. */
export async function openSite(address: URL): Promise<Studio> {
  throw new Error(`${address.pathname}: models in the browser are not in this build`);
}
