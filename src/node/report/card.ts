import { stringify } from "yaml";
import type { Metrics } from "../../train/metrics.ts";
import type { RunConfig } from "../run-config.ts";

/** A run's README.md in the Hub's format: metadata that its page reads, then text for people. */
export function modelCard(name: string, config: RunConfig, metrics?: Metrics): string {
  const { spec, settings } = config;
  const result = metrics && {
    "model-index": [
      {
        name,
        results: [
          {
            task: { type: "image-classification", name: "Image classification" },
            dataset: { name: baseName(config.data), type: config.dataset },
            metrics: [
              { type: "accuracy", name: "top-1, held out", value: Number((metrics.top1 / 100).toFixed(4)) },
              { type: "loss", name: "cross-entropy, held out", value: Number(metrics.loss.toFixed(4)) },
            ],
          },
        ],
      },
    ],
  };
  const metadata = {
    ...(spec.license && { license: spec.license }),
    library_name: "tesserae",
    pipeline_tag: "image-classification",
    tags: ["image-classification", "tesserae", "onnx"],
    ...(settings.pretrained && { base_model: settings.pretrained }),
    ...result,
  };
  const quality = metrics
    ? `Top-1 ${metrics.top1.toFixed(2)} % and top-5 ${metrics.top5.toFixed(2)} % on ${metrics.count} held-out images of ${baseName(config.data)}.`
    : "It has not been measured on held-out images.";
  return `---
${stringify(metadata).trimEnd()}
---

# ${name}

${spec.name}, trained with tesserae to tell ${spec.classes.length} classes apart. ${quality}

Classes: ${spec.classes.slice(0, 50).join(", ")}${spec.classes.length > 50 ? ", ..." : ""}.

\`model.onnx\` takes images float32 [N, ${spec.inputShape.join(", ")}], normalised with mean ${JSON.stringify(spec.preprocessing.mean)} and deviation
${JSON.stringify(spec.preprocessing.std)}, and gives logits [N, ${spec.classes.length}]. \`report.html\` has curves, confusion and explanations.

\`\`\`sh
tesserae predict IMAGE --model model.onnx
\`\`\`

Trained by \`tesserae ${config.command.join(" ").replaceAll("`", "'")}\`.
`;
}

const baseName = (path: string): string => path.split(/[/\\]/).filter(Boolean).at(-1) ?? path;
