import { Command, Option } from "commander";
import { TesseraeError } from "../../errors.ts";
import { globMatcher } from "../../globs.ts";
import { print, printJson, table } from "../output.ts";
import type { CommandDefinition } from "../program.ts";

const SORTS = ["name", "parameters", "gmacs", "size", "activations"] as const;

interface ModelsFlags {
  json?: boolean;
  sort?: (typeof SORTS)[number];
}

interface Row {
  name: string;
  parameters: number;
  gmacs: number;
  /** In millions. */
  activations: number;
  imageSize: number | readonly number[];
  paper: string;
}

export const modelsCommand = (): CommandDefinition => ({
  example: "models 'vit_*' --sort gmacs",
  command: new Command("models")
    .description(
      "list the models: for one image the multiply-accumulates (GMACs) and the values that convolutions and matrix " +
        "products put out (activations), in the graph at the model's image size",
    )
    .argument("[glob]", "names to list; * stands for anything, ? for one letter")
    .addOption(new Option("--sort <by>", "order (default: by family)").choices(SORTS))
    .option("--json", 'print an array of {"name", "parameters", "gmacs", "activations", "imageSize", "paper"}')
    .action(run),
});

async function run(glob: string | undefined, { json, sort }: ModelsFlags): Promise<void> {
  const { listModels, createModel } = await import("../../models/index.ts");
  const { statistics } = await import("../../models/statistics.ts");
  const names = listModels().filter(globMatcher(glob ?? "*"));
  if (names.length === 0) throw await noneLike(glob ?? "*", listModels());
  const rows = names.map((name): Row => {
    const model = createModel(name);
    const [, height, width] = model.inputShape;
    const imageSize = height === width ? height : [height, width];
    return { name, ...statistics(model), imageSize, paper: model.paper };
  });
  if (sort) rows.sort(ORDERS[sort]);
  if (json) return printJson(rows);
  const cells = rows.map((r) => [
    r.name,
    `${(r.parameters / 1e6).toFixed(2)} M`,
    r.gmacs.toFixed(2),
    `${r.activations.toFixed(2)} M`,
    String(r.imageSize),
    r.paper,
  ]);
  for (const line of table(["model", "parameters", "GMACs", "activations", "image", "paper"], cells)) print(line);
}

const byName = (a: Row, b: Row): number => (a.name < b.name ? -1 : 1);
const area = ({ imageSize }: Row): number =>
  typeof imageSize === "number" ? imageSize ** 2 : imageSize[0] * imageSize[1];

const ORDERS: Readonly<Record<(typeof SORTS)[number], (a: Row, b: Row) => number>> = {
  name: byName,
  parameters: (a, b) => a.parameters - b.parameters || byName(a, b),
  gmacs: (a, b) => a.gmacs - b.gmacs || byName(a, b),
  activations: (a, b) => a.activations - b.activations || byName(a, b),
  size: (a, b) => area(a) - area(b) || byName(a, b),
};

async function noneLike(glob: string, known: readonly string[]): Promise<TesseraeError> {
  const { nearest } = await import("../../nearest.ts");
  const near = nearest(glob.replaceAll(/[*?]/g, ""), known);
  return new TesseraeError("usage", `no model is called ${JSON.stringify(glob)}`, {
    hint: near.length > 0 ? `Did you mean ${near.join(", ")}?` : "`tesserae models` lists them all",
  });
}
