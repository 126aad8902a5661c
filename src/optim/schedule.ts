import { TesseraeError } from "../errors.ts";

export interface ScheduleOptions {
  /** Peak learning rate. */
  readonly lr: number;
  /** Length of the curve: the warm-up is its beginning, or comes before it with `warmupPrefix`. */
  readonly epochs: number;
  readonly updatesPerEpoch: number;
  /** The rate moves between epochs; otherwise between updates. */
  readonly onEpochs?: boolean;
  readonly warmupEpochs?: number;
  /** Rate of the first update of the warm-up. */
  readonly warmupLr?: number;
  readonly warmupPrefix?: boolean;
  /** Rate at the end of the curve, and of the cooldown after it. */
  readonly minLr?: number;
  /** Of "step": epochs between two decays. */
  readonly decayEpochs?: number;
  /** Of "multistep": epochs before which the rate decays. */
  readonly decayMilestones?: readonly number[];
  /** Factor of "step" and "multistep", exponent of "poly". */
  readonly decayRate?: number;
  /** Exponent on the progress of "cosine" and "poly" (Zhang and Li 2020, arXiv:2004.05909). */
  readonly kDecay?: number;
}

/** Learning rate at an update (from 0). */
export type Schedule = (update: number) => number;

type Settled = Required<ScheduleOptions>;
/** Rate after the warm-up at time t, in epochs or updates, of which an epoch has `unit`. */
type Curve = (t: number, unit: number, o: Settled) => number;

/** From lr down to minLr by a factor from 1 to 0 over the progress in [0, 1). */
const falling =
  (factor: (progress: number, o: Settled) => number): Curve =>
  (t, unit, o) => {
    const progress = t / (o.epochs * unit);
    return progress >= 1 ? o.minLr : o.minLr + (o.lr - o.minLr) * factor(progress, o);
  };

const CURVES: Readonly<Record<string, Curve>> = {
  /** Half a cosine (Loshchilov and Hutter 2017). */
  cosine: falling((p, { kDecay }) => 0.5 * (1 + Math.cos(Math.PI * p ** kDecay))),
  linear: falling((p) => 1 - p),
  poly: falling((p, { kDecay, decayRate }) => (1 - p ** kDecay) ** decayRate),
  step: (t, unit, { lr, decayRate, decayEpochs }) => lr * decayRate ** Math.floor(t / (decayEpochs * unit)),
  /** A milestone m is reached at t = m - 1, as timm has it. */
  multistep: (t, unit, { lr, decayRate, decayMilestones }) =>
    lr * decayRate ** decayMilestones.filter((m) => m * unit <= t + 1).length,
  onecycle: oneCycle,
  constant: (_t, _unit, { lr }) => lr,
};

export const scheduleNames = Object.keys(CURVES);

/** Those that end at a lowest rate, which a cooldown holds. */
export const endsLow = (name: string): boolean => !["step", "multistep", "constant"].includes(name);

/**
 * Up along half a cosine for the warm-up, down along another (Smith and Topin 2018), PyTorch's `OneCycleLR` with
 * pct_start = warm-up / epochs. The momentum is not cycled.
 */
function oneCycle(t: number, unit: number, { lr, epochs, warmupEpochs, warmupLr, minLr }: Settled): number {
  const last = epochs * unit - 1;
  const top = Math.max(0, warmupEpochs * unit - 1);
  const [from, to, progress] = t < top ? [warmupLr, lr, t / top] : [lr, minLr, (t - top) / Math.max(1, last - top)];
  return to + (from - to) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
}

/** Epochs of a whole run: the curve, a warm-up before it, the cooldown after it. */
export const scheduledEpochs = (
  name: string,
  {
    epochs,
    warmupEpochs,
    warmupPrefix,
    cooldownEpochs,
  }: Readonly<{
    epochs: number;
    warmupEpochs: number;
    warmupPrefix: boolean;
    cooldownEpochs: number;
  }>,
): number =>
  epochs + (warmupPrefix && name !== "onecycle" ? Math.ceil(warmupEpochs) : 0) + (endsLow(name) ? cooldownEpochs : 0);

/**
 * The rate at every update: a linear warm-up, then the named curve, with the values of timm's schedulers. Without
 * `warmupPrefix` the warm-up hides the beginning of the curve; with it the curve begins at its end.
 * Throws TesseraeError("usage").
 */
export function schedule(name: string, options: ScheduleOptions): Schedule {
  const curve = Object.hasOwn(CURVES, name) ? CURVES[name] : undefined;
  if (!curve)
    throw new TesseraeError("usage", `unknown schedule ${name}`, { hint: `Known: ${scheduleNames.join(", ")}` });
  const o = settled(name, options);
  if (o.minLr > o.lr && endsLow(name))
    throw new TesseraeError("usage", `the lowest rate ${o.minLr} must lie between 0 and the peak ${o.lr}`, {
      hint: "Set --min-lr",
    });
  const unit = o.onEpochs ? 1 : o.updatesPerEpoch;
  const warmup = name === "onecycle" ? 0 : o.warmupEpochs * unit;
  const at = (t: number): number =>
    t < warmup ? o.warmupLr + (t * (o.lr - o.warmupLr)) / warmup : curve(t - (o.warmupPrefix ? warmup : 0), unit, o);
  return (update) => at(o.onEpochs ? Math.floor(update / o.updatesPerEpoch) : update);
}

const settled = (name: string, o: ScheduleOptions): Settled => ({
  onEpochs: false,
  warmupEpochs: 0,
  // PyTorch's div_factor 25 and final_div_factor 1e4 for one cycle.
  warmupLr: name === "onecycle" ? o.lr / 25 : 0,
  minLr: name === "onecycle" ? o.lr / 25 / 1e4 : 0,
  warmupPrefix: false,
  decayEpochs: 90,
  decayMilestones: [90, 180, 270],
  decayRate: 0.1,
  kDecay: 1,
  ...given(o),
});

/** Without what is left open. */
const given = <T extends object>(o: T): T =>
  Object.fromEntries(Object.entries(o).filter(([, value]) => value !== undefined)) as T;
