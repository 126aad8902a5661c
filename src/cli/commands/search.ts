import { Command, Option } from "commander";
import pc from "picocolors";
import { TesseraeError } from "../../errors.ts";
import { count, type EngineFlags, withEngine } from "../flags.ts";
import { hubReporter } from "../hub.ts";
import { print, printJson } from "../output.ts";
import type { CommandDefinition } from "../program.ts";

interface SearchFlags extends EngineFlags {
  index: string;
  model?: string;
  topk: number;
  json?: boolean;
}

export const searchCommand = (): CommandDefinition => ({
  example: "search photos/val/bees/1.jpg --index photos.db",
  command: withEngine(
    new Command("search")
      .description("find the images of an index that are most like an image")
      .argument("<image...>", "image files")
      .requiredOption("--index <file>", "what `tesserae embed DATA --model X -o FILE.db` wrote")
      .option("--model <source>", "the model of the index, where it is elsewhere now")
      .addOption(new Option("-k, --topk <n>", "images to show").argParser(count).default(5))
      .option("--json", 'print {"image", "nearest": [{"path", "split", "class", "cosine"}, ...]} a line'),
  ).action(run),
});

async function run(images: string[], flags: SearchFlags): Promise<void> {
  const { openIndex } = await import("../../node/search-index.ts");
  const { embedImage, openEmbedder } = await import("../../node/embed.ts");
  const { weightsHash } = await import("../../node/feature-cache.ts");
  const { createEngine } = await import("../../node/engine.ts");
  const index = openIndex(flags.index);
  try {
    const hub = hubReporter();
    const source = flags.model ?? index.model;
    const { imgSize, preprocessing } = index;
    const embedder = await openEmbedder(source, { ...hub, imgSize, preprocessing }).finally(hub.onProgress.close);
    if (weightsHash(embedder.weights) !== index.weights)
      throw new TesseraeError("usage", "its weights are not those that the index was made with", {
        where: source,
        hint: "Make the index again with `tesserae embed`",
      });
    const engine = await createEngine(flags);
    try {
      for (const image of images) {
        const features = await embedImage(embedder, image, engine);
        const nearest = index.nearest(features, flags.topk);
        if (flags.json) printJson({ image, nearest });
        else {
          print(pc.bold(image));
          for (const { path, cosine, class: name } of nearest)
            print(`${cosine.toFixed(4).padStart(8)}  ${path}${name && `  ${pc.dim(name)}`}`);
        }
      }
    } finally {
      await engine.dispose();
    }
  } finally {
    index.close();
  }
}
