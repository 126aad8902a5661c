/** Our side's process: answers the lines of the protocol (child.ts). */
import { createInterface } from "node:readline";
import { MARK } from "./child.ts";
import { type DataSpec, openData } from "./data.ts";
import { openWork, type Work, type WorkSpec } from "./work.ts";

interface Request {
  readonly cmd: "open" | "turn" | "cpu" | "memory";
  readonly spec?: WorkSpec | DataSpec;
  readonly without?: readonly string[];
  readonly repeats?: number;
}

let work: Work | undefined;

async function answer({ cmd, spec, without, repeats = 1 }: Request): Promise<object> {
  switch (cmd) {
    case "open":
      if (!spec) throw new Error("nothing to open");
      work = spec.kind === "data" ? openData(spec) : await openWork(spec, { without });
      return { loss: await work.step() };
    case "turn": {
      const ms: number[] = [];
      let loss = Number.NaN;
      for (let i = 0; i < repeats; i++) {
        work?.prepare?.();
        const started = performance.now();
        loss = await (work as Work).step();
        ms.push(performance.now() - started);
      }
      return { ms, loss };
    }
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return { ms: (user + system) / 1000 };
    }
    case "memory":
      return { bytes: process.resourceUsage().maxRSS * 1024 };
  }
}

const lines = createInterface({ input: process.stdin });
const say = (reply: object) => process.stdout.write(`${MARK}${JSON.stringify(reply)}\n`);
lines.on("line", async (line) => {
  try {
    say(await answer(JSON.parse(line) as Request));
  } catch (error) {
    say({ error: error instanceof Error ? error.message : String(error) });
  }
});
lines.on("close", () => process.exit());
