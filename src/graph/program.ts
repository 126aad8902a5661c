import { TesseraeError } from "../errors.ts";
import type { Node, Tensor } from "./tensor.ts";
import type { TensorType } from "./types.ts";
import { isOperator, nodesOf } from "./walk.ts";

/** A graph ready to be written or run: named outputs over named inputs. */
export interface Program {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: ReadonlyMap<string, Tensor>;
}

/** Outputs with this prefix are the next values of the state tensors they name. */
export const NEXT = "next:";
/** The same, written over the values that were; of as many elements, in any shape. */
export const OVER = "over:";

export const inputName = (t: Tensor): string => t.node.attrs.name as string;

/** A program over everything its outputs depend on. Inputs are found by walking; `inputs` sets their order. */
export function program(name: string, outputs: ReadonlyMap<string, Tensor>, inputs: readonly Tensor[] = []): Program {
  const reached = nodesOf(outputs.values()).filter((n) => n.op === "Input");
  const given = new Set(inputs.map((t) => t.node));
  const rest = reached.filter((n) => !given.has(n)).map((n) => n.outputs[0]);
  const all = [...inputs.filter((t) => reached.includes(t.node)), ...rest];
  const names = new Set<string>();
  for (const t of all) {
    if (names.has(inputName(t))) throw new TesseraeError("internal", `two inputs are called ${inputName(t)}`);
    names.add(inputName(t));
  }
  return { name, inputs: all, outputs };
}

/** The same program over other tensors. */
export const programOf = (original: Program, image: (t: Tensor) => Tensor): Program => ({
  ...original,
  outputs: new Map([...original.outputs].map(([name, t]) => [name, image(t)])),
});

/** Nodes that compute something. */
export const operators = ({ outputs }: Program): Node[] => nodesOf(outputs.values()).filter(isOperator);

export const typesOf = (tensors: Iterable<readonly [string, Tensor]>): Map<string, TensorType> =>
  new Map([...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
