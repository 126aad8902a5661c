import type { Augmentation, PlanarImage } from "../frame.ts";
import type { Random } from "../random.ts";
import { roundHalfEven } from "../resize.ts";

/** `const`: the mean. `rand`: one normal colour a block. `pixel`: normal noise. */
export type EraseMode = "const" | "rand" | "pixel";

export interface RandomErasingConfig {
  /** Probability. */
  p: number;
  mode: EraseMode;
  /** Most blocks; their number is drawn from 1 to it, and each has its part of the area. */
  count: number;
  /** The model's normalization, of values 0 .. 1, a number a channel. */
  mean: readonly number[];
  std: readonly number[];
}

const AREA = [0.02, 1 / 3] as const;
const ASPECT = [0.3, 1 / 0.3] as const;

/**
 * Random erasing (Zhong et al. 2020) with timm's ranges: 2 % to a third of the image, aspect 0.3 to 1 / 0.3. timm
 * erases normalized values, with 0 or with standard normal noise z; here the byte is that of mean + std z, which rounds
 * it and cuts it to what a pixel can show.
 */
export const randomErasing: Augmentation<RandomErasingConfig> = {
  pixels(image, config, random) {
    const { p, count } = config;
    if (random.uniform() >= p) return;
    const blocks = count === 1 ? 1 : 1 + random.int(count);
    for (let i = 0; i < blocks; i++) {
      const block = blockOf(image, blocks, random);
      if (block) erase(image, block, config, random);
    }
  },
};

interface Block {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Undefined if ten draws do not fit. */
function blockOf({ width, height }: PlanarImage, blocks: number, random: Random): Block | undefined {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = (random.uniformIn(AREA[0], AREA[1]) * width * height) / blocks;
    const aspect = Math.exp(random.uniformIn(Math.log(ASPECT[0]), Math.log(ASPECT[1])));
    const h = roundHalfEven(Math.sqrt(area * aspect));
    const w = roundHalfEven(Math.sqrt(area / aspect));
    if (w >= width || h >= height) continue;
    return { y: random.int(height - h + 1), x: random.int(width - w + 1), width: w, height: h };
  }
  return undefined;
}

function erase(image: PlanarImage, block: Block, { mode, mean, std }: RandomErasingConfig, random: Random): void {
  const { data, channels, width, height } = image;
  for (let c = 0; c < channels; c++) {
    const byteOf = (z: number) => Math.max(0, Math.min(255, Math.round(255 * (mean[c] + std[c] * z))));
    const color = byteOf(mode === "rand" ? random.normal() : 0);
    for (let y = block.y; y < block.y + block.height; y++) {
      const from = (c * height + y) * width + block.x;
      if (mode !== "pixel") data.fill(color, from, from + block.width);
      else for (let i = from; i < from + block.width; i++) data[i] = byteOf(random.normal());
    }
  }
}
