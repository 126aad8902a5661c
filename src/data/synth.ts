/**
 * The embedded image set: procedurally drawn shapes in random colours, textures and clutter.
 * Every image is a pure function of (seed, class, index), so nothing has to be stored or fetched.
 * Shape and background colours are both random, so single pixels say little about the class: a linear
 * classifier on pixels gets about 40 % of eight classes right, and a model has to see the outline.
 */
import { TesseraeError } from "../errors.ts";
import { keyed, type Random } from "./random.ts";

/** Class names, in label order (alphabetical, which is also the order an image folder is read in). */
export const synthClasses = ["circle", "crescent", "cross", "heart", "ring", "square", "star", "triangle"] as const;
export type SynthClass = (typeof synthClasses)[number];

/** Signed distance in units of the shape's radius: negative inside. */
type Shape = (x: number, y: number) => number;
type Rgb = readonly [r: number, g: number, b: number];
type Point = readonly [x: number, y: number];

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

// ---- shapes

const disc = (x: number, y: number, r: number): number => Math.hypot(x, y) - r;

const box = (x: number, y: number, halfWidth: number, halfHeight: number): number => {
  const dx = Math.abs(x) - halfWidth;
  const dy = Math.abs(y) - halfHeight;
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0);
};

/** Distance from (x, y) to the segment a b. */
const segment = (x: number, y: number, [ax, ay]: Point, [bx, by]: Point): number => {
  const ex = bx - ax;
  const ey = by - ay;
  const t = clamp(((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey), 0, 1);
  return Math.hypot(x - ax - t * ex, y - ay - t * ey);
};

/** Distance to the nearest edge, negative where the even-odd rule says inside. */
const polygon =
  (points: readonly Point[]): Shape =>
  (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    let inside = false;
    points.forEach((a, i) => {
      const b = points[(i + 1) % points.length];
      nearest = Math.min(nearest, segment(x, y, a, b));
      if (a[1] > y !== b[1] > y && x < a[0] + ((y - a[1]) * (b[0] - a[0])) / (b[1] - a[1])) inside = !inside;
    });
    return inside ? -nearest : nearest;
  };

/** Points at the given radii, evenly spaced in angle from the top. */
const radial = (radii: readonly number[]): Point[] =>
  radii.map((r, i) => {
    const angle = 2 * Math.PI * (i / radii.length - 0.25);
    return [r * Math.cos(angle), r * Math.sin(angle)];
  });

/** x = 16 sin³t, y = 13 cos t − 5 cos 2t − 2 cos 3t − cos 4t, centred and scaled to radius about 1. */
const heartOutline = (steps: number): Point[] =>
  Array.from({ length: steps }, (_, i) => {
    const t = (2 * Math.PI * i) / steps;
    const y = 13 * Math.cos(t) - 5 * Math.cos(2 * t) - 2 * Math.cos(3 * t) - Math.cos(4 * t);
    return [Math.sin(t) ** 3, -(y + 2.5) / 16];
  });

const shapes: Record<SynthClass, Shape> = {
  circle: (x, y) => disc(x, y, 0.85),
  crescent: (x, y) => Math.max(disc(x + 0.1, y, 1), -disc(x - 0.42, y, 0.82)),
  cross: (x, y) => Math.min(box(x, y, 1, 0.33), box(x, y, 0.33, 1)),
  heart: polygon(heartOutline(24)),
  ring: (x, y) => Math.abs(disc(x, y, 0.76)) - 0.22,
  square: (x, y) => box(x, y, 0.76, 0.76),
  star: polygon(radial([1.15, 0.48, 1.15, 0.48, 1.15, 0.48, 1.15, 0.48, 1.15, 0.48])),
  triangle: polygon(radial([1.1, 1.1, 1.1])),
};

// ---- colours and textures

const luminance = ([r, g, b]: Rgb): number => 0.299 * r + 0.587 * g + 0.114 * b;
const anyColour = (random: Random): Rgb => [255 * random.uniform(), 255 * random.uniform(), 255 * random.uniform()];

/** Least difference in luminance between a shape and its background, of 255. */
const contrast = 100;
/** How far a texture's second tone may lie from its first, per channel, of 255. */
const relief = 36;

/** How often the shape is lighter than its background; at 0.5 the mean image of every class is the same grey. */
const lighter = 0.9;

/** Two colours that a person tells apart in grey as well: of the background and of the shape. */
const colours = (random: Random): [ground: Rgb, ink: Rgb] => {
  for (;;) {
    const [a, b] = [anyColour(random), anyColour(random)];
    if (Math.abs(luminance(a) - luminance(b)) < contrast) continue;
    return luminance(a) < luminance(b) === random.uniform() < lighter ? [a, b] : [b, a];
  }
};

/** How much of the second tone is at (x, y), 0..1; x and y span [-1, 1] over the image. */
type Pattern = (x: number, y: number) => number;

const patterns: ((random: Random) => Pattern)[] = [
  () => () => 0,
  // gradient
  (random) => {
    const [c, s] = direction(random);
    return (x, y) => clamp(0.5 + 0.5 * (c * x + s * y), 0, 1);
  },
  // stripes
  (random) => {
    const [c, s] = direction(random);
    const frequency = random.uniformIn(5, 10);
    const phase = random.uniformIn(0, 6.28);
    return (x, y) => 0.5 + 0.5 * Math.sin(frequency * (c * x + s * y) + phase);
  },
  // checks
  (random) => {
    const [c, s] = direction(random);
    const frequency = random.uniformIn(2, 4);
    const phase = random.uniform();
    return (x, y) =>
      (Math.floor(frequency * (c * x + s * y) + phase) + Math.floor(frequency * (c * y - s * x) + phase)) & 1;
  },
  // dots
  (random) => {
    const [c, s] = direction(random);
    const frequency = random.uniformIn(2, 4);
    return (x, y) => {
      const u = frequency * (c * x + s * y);
      const v = frequency * (c * y - s * x);
      return Math.hypot(u - Math.round(u), v - Math.round(v)) < 0.3 ? 1 : 0;
    };
  },
  // grain: cells of random tone
  (random) => {
    const tones = Float32Array.from({ length: 32 * 32 }, () => random.uniform());
    const frequency = random.uniformIn(4, 9);
    const cell = (t: number): number => Math.floor(frequency * (t + 1)) & 31;
    return (x, y) => tones[32 * cell(y) + cell(x)];
  },
];

const direction = (random: Random): Point => {
  const angle = 2 * Math.PI * random.uniform();
  return [Math.cos(angle), Math.sin(angle)];
};

type Paint = (x: number, y: number, channel: number) => number;

const painted = (random: Random, [r, g, b]: Rgb): Paint => {
  const pattern = patterns[random.int(patterns.length)](random);
  const tone = (): number => random.uniformIn(-relief, relief);
  const first = [r, g, b];
  const step = [tone(), tone(), tone()];
  return (x, y, channel) => first[channel] + step[channel] * pattern(x, y);
};

// ---- drawing

/** Radius of a shape, where the image spans [-1, 1]. */
const smallest = 0.52;
const largest = 0.8;
/** How much of the room around it a shape may move in. */
const roam = 1;
/** Most rotation either way, in radians. */
const turn = 0.4;
/** Most pieces of clutter behind the shape and in front of it. */
const mostBehind = 3;
const mostInFront = 1;

/** One thing on the canvas: its signed distance in image units ([-1, 1] across) and its paint. */
interface Layer {
  distance: Shape;
  paint: Paint;
}

/** A small oval, or a thin line. */
const clutter = (random: Random): Layer => {
  const x0 = random.uniformIn(-1, 1);
  const y0 = random.uniformIn(-1, 1);
  const [c, s] = direction(random);
  const colour = anyColour(random);
  const paint: Paint = (_x, _y, channel) => colour[channel];
  if (random.uniform() < 0.5) {
    const length = random.uniformIn(0.4, 1);
    const width = random.uniformIn(0.025, 0.05);
    const end: Point = [x0 + c * length, y0 + s * length];
    return { paint, distance: (x, y) => segment(x, y, [x0, y0], end) - width };
  }
  const radius = random.uniformIn(0.06, 0.13);
  const stretch = random.uniformIn(1, 2);
  return {
    paint,
    distance: (x, y) => {
      const u = c * (x - x0) + s * (y - y0);
      const v = c * (y - y0) - s * (x - x0);
      return Math.hypot(u / stretch, v) - radius;
    },
  };
};

const placed = (random: Random, shape: Shape): Shape => {
  const radius = random.uniformIn(smallest, largest);
  const room = roam * (1.02 - radius);
  const x0 = random.uniformIn(-room, room);
  const y0 = random.uniformIn(-room, room);
  const angle = random.uniformIn(-turn, turn);
  const mirror = random.uniform() < 0.5 ? -1 : 1;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return (x, y) => {
    const u = (x - x0) / radius;
    const v = (y - y0) / radius;
    return radius * shape(mirror * (c * u + s * v), c * v - s * u);
  };
};

/** Whether `value` is a whole number from `least` to `most`. */
const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

const refuse = (what: string, hint: string): never => {
  throw new TesseraeError("usage", what, { where: "synth", hint });
};

/**
 * Draws image `index` of class `name`: RGB, [size, size, 3], 0..255. The same arguments give the same bytes.
 *
 * @throws TesseraeError `usage` for an unknown class, or numbers out of range (size: 8 to 1024 pixels).
 */
export const drawSynth = (seed: number, name: SynthClass, index: number, size = 32): Uint8Array => {
  if (!synthClasses.includes(name)) refuse(`no class "${name}"`, `Classes are ${synthClasses.join(", ")}`);
  if (!isWhole(size, 8, 1024)) refuse(`cannot draw at size ${size}`, "Use 8 to 1024 pixels");
  if (!isWhole(seed, 0, 2 ** 32 - 1)) refuse(`cannot use ${seed} as a seed`, "Use a whole number below 2^32");
  if (!isWhole(index, 0, 2 ** 32 - 1)) refuse(`cannot draw index ${index}`, "Use a whole number below 2^32");
  const random = keyed(seed, "synth", name, index);
  const [ground, ink] = colours(random);
  const under = painted(random, ground);
  const layers: Layer[] = [];
  for (let i = random.int(mostBehind + 1); i > 0; i--) layers.push(clutter(random));
  layers.push({ distance: placed(random, shapes[name]), paint: painted(random, ink) });
  for (let i = random.int(mostInFront + 1); i > 0; i--) layers.push(clutter(random));
  const grain = random.uniformIn(2, 14);

  const pixels = new Uint8Array(size * size * 3);
  const pixel = 2 / size;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const x = (column + 0.5) * pixel - 1;
      const y = (row + 0.5) * pixel - 1;
      const cover = layers.map((layer) => clamp(0.5 - layer.distance(x, y) / pixel, 0, 1));
      for (let channel = 0; channel < 3; channel++) {
        let value = under(x, y, channel);
        layers.forEach((layer, i) => {
          if (cover[i] > 0) value += cover[i] * (layer.paint(x, y, channel) - value);
        });
        const noise = grain * (random.uniform() + random.uniform() - 1);
        pixels[(row * size + column) * 3 + channel] = clamp(Math.round(value + noise), 0, 255);
      }
    }
  }
  return pixels;
};

export interface SynthOptions {
  /** Images in all, over both splits and all classes. */
  count: number;
  /** Default: all of `synthClasses`. */
  classes?: readonly SynthClass[];
  /** Part of each class that is held out, default 0.2. */
  valFraction?: number;
}

export interface SynthItem {
  split: "train" | "val";
  class: SynthClass;
  /** Position within its split and class, from 0. */
  position: number;
  /** What `drawSynth` takes. No index is in both splits, whatever the count. */
  index: number;
}

/** Indices from here on are held out. */
const firstVal = 2 ** 30;

/**
 * Which images make up a set: by split, then class, then position. Classes differ in size by one image at most,
 * and each has at least one image in each split.
 *
 * @throws TesseraeError `usage` for numbers out of range or an unknown class.
 */
export const planSynth = ({ count, classes = synthClasses, valFraction = 0.2 }: SynthOptions): SynthItem[] => {
  const unknown = classes.find((name) => !synthClasses.includes(name));
  if (unknown !== undefined) refuse(`no class "${unknown}"`, `Classes are ${synthClasses.join(", ")}`);
  if (classes.length < 1 || new Set(classes).size < classes.length) refuse("classes must differ", "Name each once");
  if (!(valFraction > 0 && valFraction < 1)) refuse(`cannot hold out ${valFraction}`, "Use a part between 0 and 1");
  const least = 2 * classes.length;
  if (!isWhole(count, least, 1e6)) {
    refuse(`cannot make ${count} images of ${classes.length} classes`, `Use ${least} to 1000000`);
  }
  const items = classes.flatMap((name, i) => {
    const own = Math.floor(count / classes.length) + (i < count % classes.length ? 1 : 0);
    const held = clamp(Math.round(own * valFraction), 1, own - 1);
    return Array.from({ length: own }, (_, n): SynthItem => {
      const position = n < held ? n : n - held;
      return n < held
        ? { split: "val", class: name, position, index: firstVal + position }
        : { split: "train", class: name, position, index: position };
    });
  });
  return [...items.filter(({ split }) => split === "train"), ...items.filter(({ split }) => split === "val")];
};
