import { Command } from "commander";
import { TesseraeError } from "../../errors.ts";
import { FINETUNE } from "../../node/settings/finetune.ts";
import type { CommandDefinition } from "../program.ts";
import { addTrainFlags, type TrainFlags } from "../train-flags.ts";
import { runTraining } from "./train.ts";

export const finetuneCommand = (): CommandDefinition => {
  const command = addTrainFlags(
    new Command("finetune")
      .description("train on from weights that others made: `train` with defaults for small image sets")
      .argument("[data]", "DATA/train/CLASS/* with DATA/val/CLASS/*, or one folder of classes, split by --seed"),
    FINETUNE,
  );
  command.action((data: string | undefined, flags: TrainFlags) => {
    if (flags.pretrained === undefined && flags.config === undefined)
      throw new TesseraeError("usage", "--pretrained names what to begin with", {
        hint: "tesserae finetune DATA --pretrained timm/resnet18.a1_in1k",
      });
    return runTraining(data, flags, command, FINETUNE);
  });
  return { example: "finetune photos --pretrained tf_efficientnet_lite0 --output runs/photos", command };
};
