import { Command, Option } from "commander";
import { LANGUAGES, type Language } from "../../explain/walk/words.ts";
import { type EngineFlags, whole, withEngine } from "../flags.ts";
import { print } from "../output.ts";
import type { CommandDefinition } from "../program.ts";

interface WalkFlags extends EngineFlags {
  output: string;
  lang: Language;
  patch?: number;
}

export const walkCommand = (): CommandDefinition => ({
  example: "walk vit_base_patch16_224 -o walk.html",
  command: withEngine(
    new Command("walk")
      .description("follow one image through a model, step by step, in a page that stands alone")
      .argument("<model>", "run folder, published weights, or a model's name for fresh weights")
      .argument("[image]", "image file (default: a drawn one)")
      .option("-o, --output <file>", "the page", "walk.html")
      .addOption(new Option("--lang <language>", "language of the page").choices(LANGUAGES).default("en"))
      .addOption(
        new Option("--patch <n>", "patch to follow, from 0 (default: the lecture chooses one)").argParser(whole),
      ),
  ).action(run),
});

async function run(
  model: string,
  image: string | undefined,
  { output, lang, patch, device, threads }: WalkFlags,
): Promise<void> {
  const { createEngine } = await import("../../node/engine.ts");
  const { writeLecture } = await import("../../node/walk.ts");
  const { writeFileAtomic } = await import("../../node/atomic-write.ts");
  const engine = await createEngine({ device, threads });
  try {
    await writeFileAtomic(output, await writeLecture(model, image, engine, { language: lang, patch }));
    print(output);
  } finally {
    await engine.dispose();
  }
}
