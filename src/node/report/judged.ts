import type { ImageDataset } from "../../data/dataset.ts";
import type { Picture } from "../../explain/figure.ts";
import type { ModelSpec } from "../../models/spec.ts";
import type { Backend } from "../../runtime/backend.ts";
import { pictureOf } from "../../studio/picture.ts";
import { Confusion } from "../../train/confusion.ts";
import { type Judgement, Judgements } from "../../train/judgements.ts";
import { channelsOf, transformOf } from "../../train/predictor.ts";
import type { Judged } from "../class-quality.ts";
import { createLoader } from "../loader.ts";
import type { TrainedModel } from "../model-files.ts";
import { createPredictor } from "../predictor.ts";
import { openSamples } from "../sample-reader.ts";

/** Evaluates a model on a set whose labels are its own. */
export async function judge(
  trained: TrainedModel,
  dataset: ImageDataset,
  backend: Backend,
  onBatch?: (done: number, total: number) => void,
): Promise<Judged> {
  const loader = createLoader({
    dataset,
    transform: transformOf(trained.spec),
    inChans: channelsOf(trained.spec),
    batchSize: Math.min(32, dataset.samples.length),
    shuffle: false,
    dropLast: false,
    seed: 0,
    workers: 1,
  });
  const predictor = await createPredictor(trained, backend);
  try {
    const [judgements, confusion] = [new Judgements(), new Confusion(trained.spec.classes)];
    const metrics = await predictor.evaluate(loader, { onBatch, meters: [judgements, confusion] });
    return { metrics, judgements: judgements.all, confusion };
  } finally {
    await Promise.all([predictor.dispose(), loader.close()]);
  }
}

/** Samples as the model sees them, each to be explained for its guess. */
export async function samplePictures(
  spec: ModelSpec,
  dataset: ImageDataset,
  chosen: readonly Pick<Judgement, "index" | "guess">[],
): Promise<Picture[]> {
  const reader = openSamples(dataset.files ?? []);
  try {
    const pictures: Picture[] = [];
    for (const { index, guess } of chosen) {
      const sample = dataset.samples[index];
      pictures.push(pictureOf(spec, await reader.decode(sample), nameOf(sample.path), guess));
    }
    return pictures;
  } finally {
    reader.close();
  }
}

const nameOf = (path: string): string => path.split(/[/\\]/).at(-1) ?? path;

/** Two images that the model is surest of and two that it is most wrong about, of classes as different as can be. */
export function examples(judgements: readonly Judgement[]): Judgement[] {
  const pick = (list: readonly Judgement[], most: number): Judgement[] => {
    const seen = new Set<number>();
    const first = list.filter(({ label }) => !seen.has(label) && seen.add(label));
    return [...first, ...list.filter((j) => !first.includes(j))].slice(0, most);
  };
  const sure = [...judgements].sort((a, b) => b.confidence - a.confidence || a.index - b.index);
  return [
    ...pick(
      sure.filter((j) => j.guess === j.label),
      2,
    ),
    ...pick(
      sure.filter((j) => j.guess !== j.label),
      2,
    ),
  ];
}
