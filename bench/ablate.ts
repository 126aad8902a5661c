import { median } from "../src/median.ts";
import type { StepCase } from "./cases.ts";
import { Child } from "./child.ts";
import { ourScript } from "./peers.ts";
import { pause, type RunOptions } from "./run-case.ts";
import { compare, measure, type Player } from "./stats.ts";

export interface AblationRow {
  readonly name: string;
  /** Left out. */
  readonly pass: string;
  /** Milliseconds with all passes, and without this one. */
  readonly all: number;
  readonly without: number;
  /** What the pass gains: without / all. */
  readonly gain: number;
  readonly gainMin: number;
}

/** Our step with each of some passes left out in turn, each time paired with the step that has them all. */
export async function ablate(
  { name, spec, repeats }: StepCase,
  passes: readonly string[],
  o: RunOptions,
): Promise<AblationRow[]> {
  const rows: AblationRow[] = [];
  const all = await opened([]);
  try {
    for (const pass of passes) {
      const one = await opened([pass]);
      try {
        const samples = await measure([all.player, one.player], { rounds: o.rounds, pause });
        const c = compare(samples.get("all") ?? [], samples.get(pass) ?? []);
        rows.push({ name, pass, all: c.ours, without: c.peer, gain: c.ratio, gainMin: c.ratioMin });
        o.log(`${name} without ${pass}: ${c.peer.toFixed(1)} ms, with all ${c.ours.toFixed(1)} ms`);
      } finally {
        await one.child.close();
      }
    }
  } finally {
    await all.child.close();
  }
  return rows;

  async function opened(without: string[]): Promise<{ child: Child; player: Player }> {
    const child = new Child({ command: process.execPath, args: [ourScript(o.paths, "ours")] });
    await child.ask({ cmd: "open", spec: { ...spec(), threads: o.threads }, without });
    const turn = async () => median((await child.ask({ cmd: "turn", repeats })).ms as number[]);
    await turn();
    return { child, player: { name: without[0] ?? "all", turn } };
  }
}
