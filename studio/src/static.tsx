import { openSite } from "./browser-source.ts";
import { start } from "./start.tsx";

// The page of an exported folder: site.json lies beside it, models run in the browser itself.
start(openSite(new URL("site.json", document.baseURI)));
