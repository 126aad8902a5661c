import { median } from "../src/median.ts";

/** Whoever is first in one round is last in the next, so that a drift of the machine favours nobody. */
export function turnOrder<T>(players: readonly T[], round: number): T[] {
  const from = round % players.length;
  return [...players.slice(from), ...players.slice(0, from)];
}

export interface Player {
  readonly name: string;
  /** Does its work once and says how long it took, in its unit. */
  turn(): Promise<number>;
}

export interface MeasureOptions {
  readonly rounds: number;
  /** A player whose turns take longer (milliseconds by the clock) sits out after `slowRounds`. */
  readonly slow?: number;
  readonly slowRounds?: number;
  /** Between two turns: lets the threads of the one before fall asleep. */
  readonly pause?: () => Promise<void>;
  readonly onRound?: (round: number, samples: ReadonlyMap<string, readonly number[]>) => void;
}

/** Every round each player has one turn, in turning order. Samples by player, in the order of rounds. */
export async function measure(players: readonly Player[], options: MeasureOptions): Promise<Map<string, number[]>> {
  const { rounds, slow = Number.POSITIVE_INFINITY, slowRounds = 3, pause, onRound } = options;
  const samples = new Map(players.map((p) => [p.name, [] as number[]]));
  const slowOnes = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const playing = players.filter((p) => round < slowRounds || !slowOnes.has(p.name));
    for (const player of turnOrder(playing, round)) {
      await pause?.();
      const started = performance.now();
      samples.get(player.name)?.push(await player.turn());
      if (performance.now() - started > slow) slowOnes.add(player.name);
    }
    onRound?.(round, samples);
  }
  return samples;
}

export interface Comparison {
  /** Medians. */
  readonly ours: number;
  readonly peer: number;
  /** peer / ours: above 1, ours is faster (or smaller). */
  readonly ratio: number;
  /** Of the smallest samples. */
  readonly ratioMin: number;
  readonly oursMin: number;
  readonly peerMin: number;
  /** Rounds that both played: only those count. */
  readonly rounds: number;
}

/** Compares the rounds that both played. */
export function compare(ours: readonly number[], peer: readonly number[]): Comparison {
  const rounds = Math.min(ours.length, peer.length);
  const [a, b] = [ours.slice(0, rounds), peer.slice(0, rounds)];
  const [oursMin, peerMin] = [Math.min(...a), Math.min(...b)];
  const [x, y] = [median(a), median(b)];
  return { ours: x, peer: y, ratio: y / x, ratioMin: peerMin / oursMin, oursMin, peerMin, rounds };
}
