import type { RgbImage } from "../data/image.ts";
import { TesseraeError } from "../errors.ts";
import type { AttentionLayer, Places } from "../explain/attention-layers.ts";
import type { EvidenceMap } from "../explain/evidence.ts";
import { type HostTensor, hostTensor, toFloat32 } from "../weights/host-tensor.ts";
import { parseHeader, readSafetensors, writeSafetensors } from "../weights/safetensors.ts";
import type { ModelInfo, Prediction } from "./model.ts";

// Answers of a model on their way from a server to the page: safetensors, with what is no tensor as JSON in the metadata.

const FACTS = "facts";

function encode(tensors: Readonly<Record<string, HostTensor>>, facts?: unknown): Uint8Array[] {
  const metadata = new Map(facts === undefined ? [] : [[FACTS, JSON.stringify(facts)]]);
  return writeSafetensors(new Map(Object.entries(tensors)), metadata);
}

function tensorOf(bytes: Uint8Array, name: string): HostTensor {
  const tensor = readSafetensors(bytes).get(name);
  if (!tensor) throw new TesseraeError("runtime", `the answer holds no ${name}`);
  return tensor;
}

export const encodePrediction = ({ top, seen: { width, height, data } }: Prediction): Uint8Array[] =>
  encode({ seen: hostTensor("uint8", [height, width, 3], data) }, { top });

export function decodePrediction(bytes: Uint8Array): Prediction {
  const { shape, data } = tensorOf(bytes, "seen");
  const { top } = JSON.parse(parseHeader(bytes).metadata.get(FACTS) ?? "{}") as Pick<Prediction, "top">;
  const seen: RgbImage = { height: shape[0], width: shape[1], data: data as Uint8Array };
  return { top, seen };
}

export const encodeFloats = (data: Float32Array, shape: readonly number[] = [data.length]): Uint8Array[] =>
  encode({ values: hostTensor("float32", shape, data) });

export const decodeFloats = (bytes: Uint8Array): Float32Array => toFloat32(tensorOf(bytes, "values"));

export const encodeEvidence = ({ size, values }: EvidenceMap): Uint8Array[] => encodeFloats(values, size);

export function decodeEvidence(bytes: Uint8Array): EvidenceMap {
  const tensor = tensorOf(bytes, "values");
  return { size: [tensor.shape[0], tensor.shape[1]], values: toFloat32(tensor) };
}

/** Places as JSON holds them. */
type PlainPlaces = Omit<Places, "cells"> & { readonly cells: readonly number[] };
type PlainLayer = Omit<AttentionLayer, "queries" | "keys"> & {
  readonly queries: PlainPlaces;
  readonly keys: PlainPlaces;
};

const plain = (places: Places): PlainPlaces => ({ ...places, cells: [...places.cells] });
const typed = (places: PlainPlaces): Places => ({ ...places, cells: Int32Array.from(places.cells) });

/** A model's description as JSON text. */
export const encodeInfo = ({ attention, ...rest }: ModelInfo): string =>
  JSON.stringify({
    ...rest,
    attention: attention.map((layer) => ({ ...layer, queries: plain(layer.queries), keys: plain(layer.keys) })),
  });

export function decodeInfo(text: string): ModelInfo {
  const { attention, ...rest } = JSON.parse(text) as Omit<ModelInfo, "attention"> & { attention: PlainLayer[] };
  return {
    ...rest,
    attention: attention.map((layer) => ({ ...layer, queries: typed(layer.queries), keys: typed(layer.keys) })),
  };
}
