import { TesseraeError } from "../../errors.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { sizeOf } from "../../graph/types.ts";
import { Refusal } from "../call.ts";

/** The axes of an einsum's letters: "bhid,bhjd->bhij". */
interface Equation {
  readonly operands: readonly string[];
  readonly output: string;
}

function parse(text: string): Equation {
  const plain = text.replaceAll(" ", "");
  if (!/^[a-zA-Z]*(,[a-zA-Z]*)*(->[a-zA-Z]*)?$/.test(plain)) throw new Refusal(`Einsum ${JSON.stringify(text)}`);
  const [left, right] = plain.split("->");
  const operands = left.split(",");
  const letters = [...operands.join("")];
  const once = letters.filter((l) => letters.indexOf(l) === letters.lastIndexOf(l)).sort();
  return { operands, output: right ?? once.join("") };
}

/** An einsum of one or two operands as transpositions and one batched product. */
export function einsum(text: string, x: readonly Tensor[]): Tensor {
  const { operands, output } = parse(text);
  if (operands.length !== x.length || operands.some((o, i) => o.length !== x[i].rank || new Set(o).size < o.length))
    throw new Refusal(`Einsum ${JSON.stringify(text)}`);
  if (x.length === 1) return arrange(summed(x[0], operands[0], output), kept(operands[0], output), output);
  return product(text, { operands, output }, x);
}

const kept = (from: string, to: string): string => [...from].filter((l) => to.includes(l)).join("");

/** Sums over the letters that `keep` lacks. */
const summed = (x: Tensor, letters: string, keep: string): Tensor => {
  const axes = [...letters].flatMap((l, i) => (keep.includes(l) ? [] : [i]));
  return axes.length ? x.sum(axes) : x;
};

const arrange = (x: Tensor, from: string, to: string): Tensor => {
  if (from.length !== to.length) throw new TesseraeError("shape", `Einsum from "${from}" to "${to}"`);
  return x.transpose([...to].map((l) => from.indexOf(l)));
};

function product(text: string, { operands: [la, lb], output }: Equation, [a, b]: readonly Tensor[]): Tensor {
  const size = new Map<string, number>();
  for (const [letters, t] of [
    [la, a],
    [lb, b],
  ] as const)
    for (const [i, l] of [...letters].entries()) {
      if ((size.get(l) ?? t.shape[i]) !== t.shape[i])
        throw new TesseraeError("shape", `Einsum ${text}: sizes of ${l} differ`);
      size.set(l, t.shape[i]);
    }
  const pick = (letters: string, f: (l: string) => boolean): string => [...letters].filter(f).join("");
  const shared = pick(output, (l) => la.includes(l) && lb.includes(l));
  const inner = pick(la, (l) => lb.includes(l) && !output.includes(l));
  const rows = pick(output, (l) => la.includes(l) && !lb.includes(l));
  const columns = pick(output, (l) => lb.includes(l) && !la.includes(l));
  const sizes = (letters: string): number[] => [...letters].map((l) => size.get(l) as number);
  const count = (letters: string): number => sizeOf(sizes(letters));
  const keepA = shared + rows + inner;
  const keepB = shared + inner + columns;
  const left = arrange(summed(a, la, keepA), kept(la, keepA), keepA);
  const right = arrange(summed(b, lb, keepB), kept(lb, keepB), keepB);
  const y = left
    .reshape([...sizes(shared), count(rows), count(inner)])
    .matmul(right.reshape([...sizes(shared), count(inner), count(columns)]));
  return arrange(y.reshape(sizes(shared + rows + columns)), shared + rows + columns, output);
}
