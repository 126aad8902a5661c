import { opDef } from "../op.ts";
import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import type { Node, Tensor } from "../tensor.ts";

/** An operator that can be computed in several ways. */
export interface Tunable {
  /** Operator, shapes and attributes in one line: two of the same key are the same work. */
  readonly key: string;
  readonly node: Node;
  /** Names of its forms. */
  readonly forms: readonly string[];
}

/** The name of the form to use; undefined: what the rule says. */
export type ChooseForm = (tunable: Tunable) => string | undefined;

/** Operators in the form that was measured to be the fastest for their shapes on this processor. */
export const tunedForms = (program: Program, choose: ChooseForm): Program =>
  rewrite(program, (node, inputs) => {
    const forms = node.op === "Constant" ? undefined : opDef(node.op).forms?.(inputs as readonly Tensor[], node.attrs);
    if (!forms || Object.keys(forms).length === 0) return undefined;
    const form = choose({ key: keyOf(node), node, forms: Object.keys(forms) });
    return form !== undefined && Object.hasOwn(forms, form) ? [forms[form]()] : undefined;
  });

/** "ConvWeightGrad 16x64x56x56 16x64x56x56 kernel_shape 3,3 pads 1,1,1,1". */
export const keyOf = ({ op, inputs, attrs }: Node): string =>
  [
    op,
    ...inputs.map((t) => t?.shape.join("x") ?? "-"),
    ...Object.keys(attrs)
      .filter((name) => attrs[name] !== undefined)
      .sort()
      .map((name) => `${name} ${attrs[name]}`),
  ].join(" ");
