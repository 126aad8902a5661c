import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { TesseraeError } from "../errors.ts";
import { decodeProto, type OnnxModel, readMetadata } from "../graph/onnx.ts";
import { sizeOf, type TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import { resizeModel, resizeWeights } from "../models/resize.ts";
import { type ModelSpec, modelOf } from "../models/spec.ts";
import type { Backend, Session } from "../runtime/backend.ts";
import { inferenceProgram } from "../train/evaluate.ts";
import { SPEC_KEY } from "../train/export.ts";
import { normalized } from "../train/predictor.ts";
import type { Teacher } from "../train/stepper.ts";
import { ioError } from "./file-system.ts";
import type { ResolveOptions } from "./hub/index.ts";
import { readExternal } from "./import-file.ts";
import { openTrained, type TrainedModel } from "./model-files.ts";

export interface OpenTeacher extends Teacher {
  dispose(): Promise<void>;
}

/** What a teacher has to fit. */
export interface Pupil {
  readonly model: Model;
  readonly classes: readonly string[];
  /** Images of a run. */
  readonly batch: number;
}

const refuse = (where: string, what: string, hint?: string): TesseraeError =>
  new TesseraeError("usage", what, { where, hint });

/**
 * A teacher for distillation: a run folder, checkpoint or export of ours, or any ONNX file that takes one float32 batch
 * of images as the student does and gives logits. Throws TesseraeError where it does not fit the student.
 */
export async function openTeacher(
  path: string,
  pupil: Pupil,
  backend: Backend,
  hub: ResolveOptions = {},
): Promise<OpenTeacher> {
  if (extname(path).toLowerCase() === ".onnx" && !(await isOurs(path))) return foreignTeacher(path, pupil, backend);
  const trained = await openTrained(path, hub);
  checkClasses(trained.spec, path, pupil);
  return trained.kind === "weights"
    ? weightsTeacher(trained, path, pupil, backend)
    : onnxTeacher(trained.onnx, trained.spec, path, { input: "image", output: "logits" }, pupil, backend);
}

async function isOurs(path: string): Promise<boolean> {
  return readMetadata(await bytesOf(path)).has(SPEC_KEY);
}

const bytesOf = async (path: string): Promise<Uint8Array> =>
  new Uint8Array(
    await readFile(path).catch((error) => Promise.reject(ioError("cannot read the teacher", error, { where: path }))),
  );

function checkClasses({ classes }: ModelSpec, where: string, pupil: Pupil): void {
  if (classes.length !== pupil.model.numClasses)
    throw refuse(where, `the teacher knows ${classes.length} classes, the student ${pupil.model.numClasses}`);
  const other = pupil.classes.findIndex((name, i) => name !== classes[i]);
  if (other >= 0)
    throw refuse(where, `the teacher's class ${other} is ${classes[other]}, the student's ${pupil.classes[other]}`);
}

/** A model of ours, at the student's image size. */
async function weightsTeacher(
  { spec, weights }: TrainedModel & { kind: "weights" },
  where: string,
  { model: student, batch }: Pupil,
  backend: Backend,
): Promise<OpenTeacher> {
  const trained = modelOf(spec);
  const [channels, height, width] = student.inputShape;
  const same = `${trained.inputShape}` === `${student.inputShape}`;
  if (trained.inputShape[0] !== channels || (!same && height !== width))
    throw refuse(
      where,
      `the teacher takes images ${trained.inputShape.join("x")}, not ${student.inputShape.join("x")}`,
    );
  const model = same ? trained : resizeModel(trained, height);
  const fitted = same ? weights : resizeWeights(trained, model, weights);
  const session = await backend.load(inferenceProgram(model, batch, fitted));
  return {
    logits: async (image) => (await session.run(new Map([["image", image]]))).get("logits") as TensorData,
    dispose: () => session.dispose(),
  };
}

/** An ONNX file of float32 images, normalised as its spec says. */
async function onnxTeacher(
  onnx: OnnxModel,
  spec: Pick<ModelSpec, "preprocessing" | "inputShape">,
  where: string,
  { input, output }: { input: string; output: string },
  { model: student }: Pupil,
  backend: Backend,
): Promise<OpenTeacher> {
  if (sizeOf(spec.inputShape) !== sizeOf(student.inputShape))
    throw refuse(where, `the teacher takes images ${spec.inputShape.join("x")}, not ${student.inputShape.join("x")}`);
  const session: Session = await backend.load(onnx);
  return {
    async logits(image) {
      const data = normalized(image.data as Uint8Array, spec);
      const outputs = await session.run(new Map([[input, { dtype: "float32" as const, shape: image.shape, data }]]));
      const logits = outputs.get(output) as TensorData;
      const expected = [image.shape[0], student.numClasses];
      if (`${logits.shape}` !== `${expected}`)
        throw refuse(
          where,
          `the teacher gives ${logits.shape.join("x")} where logits ${expected.join("x")} are needed`,
        );
      return logits;
    },
    dispose: () => session.dispose(),
  };
}

async function foreignTeacher(path: string, pupil: Pupil, backend: Backend): Promise<OpenTeacher> {
  const model = await bytesOf(path);
  const files = [...(await readExternal(model, path))];
  if (files.length > 1) throw refuse(path, "a teacher keeps its weights in one file beside it at most");
  const graph = decodeProto(model).graph;
  const weights = new Set(graph?.initializer.map(({ name }) => name));
  const inputs = graph?.input.filter(({ name }) => !weights.has(name)) ?? [];
  const [input] = inputs;
  const output = graph?.output[0];
  if (inputs.length !== 1 || !input || !output)
    throw refuse(path, `a teacher takes one input, the images; this file takes ${inputs.length}`);
  const type = input.type?.value;
  const dims = type?.case === "tensorType" ? (type.value.shape?.dim ?? []) : [];
  const sizes = dims.map(({ value }) => (value.case === "dimValue" ? Number(value.value) : undefined));
  const wanted = [pupil.batch, ...pupil.model.inputShape];
  if (sizes.length !== 4 || sizes.some((size, i) => size !== undefined && size > 0 && size !== wanted[i]))
    throw refuse(
      path,
      `the teacher takes ${sizes.map((v) => v ?? "?").join("x")}, not ${wanted.join("x")}`,
      "Export it with a free batch at the student's image size",
    );
  const names = { input: input.name, output: output.name };
  const external = files.length === 0 ? undefined : { location: files[0][0], chunks: [files[0][1]] };
  return onnxTeacher({ model, external }, pupil.model, path, names, pupil, backend);
}
