import { openServer } from "./server-source.ts";
import { start } from "./start.tsx";

// The page of `tesserae studio RUNS`: the server that sent it answers.
start(openServer());
