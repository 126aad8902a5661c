/** A running mean of the loss, by which a sudden rise is told from noise. Plain data: it goes into checkpoints. */
export interface LossTrend {
  readonly mean: number;
  /** Losses seen, since the last spike. */
  readonly count: number;
}

export const NO_TREND: LossTrend = { mean: 0, count: 0 };

/** Losses that a trend needs before it can be left. */
export const TREND_STEPS = 20;
const DECAY = 0.95;

/** Whether a loss is above `factor` times the running mean of those before it. */
export const isSpike = (trend: LossTrend, loss: number, factor: number): boolean =>
  trend.count >= TREND_STEPS && loss > factor * trend.mean;

/** mean' = 0.95 mean + 0.05 loss, of the first losses their plain mean. */
export function follow({ mean, count }: LossTrend, loss: number): LossTrend {
  const weight = Math.max(1 - DECAY, 1 / (count + 1));
  return { mean: mean + weight * (loss - mean), count: count + 1 };
}
