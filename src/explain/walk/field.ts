import { createModel } from "../../models/index.ts";
import { resizeModel } from "../../models/resize.ts";
import { composedByDepth, type DepthSeries, depthChart, fieldsByDepth, seriesOf } from "../depth-chart.ts";
import { type LectureContext, type Script, type Step, step } from "./lecture.ts";
import { type ByLanguage, WORDS } from "./words.ts";

/** Numbers that the sentence names. */
interface Told {
  /** Side of the image. */
  readonly side: number;
  /** Whether one layer of the model asks the whole image. */
  readonly attends: boolean;
  /** Blocks until a stack of 3 x 3 convolutions has seen all of the image. */
  readonly stack: number;
}

const en: Script<"field", Told> = {
  field: {
    title: "What a place can see, by depth",
    text: ({ side, attends, stack }) =>
      `A 3 × 3 convolution sees one pixel further on each side, so that ${stack} of them without a stride see ${side} pixels; strides and larger kernels see further. Attention asks all of the image (the dashed line) in one layer${attends ? ", as this model does from its first block on" : ""}. What a place can see is not what moves it: the effective field is the square that holds 95 % of the gradient of the middle place.`,
  },
};

const ja: Script<"field", Told> = {
  field: {
    title: "深さごとの受容野",
    text: ({ side, attends, stack }) =>
      `3 × 3 の畳み込みは両側に 1 画素ずつ視野を広げるので、ストライドなしで ${side} 画素を見るには ${stack} 層かかります。ストライドや大きなカーネルはより速く広げます。アテンションは 1 層で画像全体(破線)に尋ねます${attends ? "。このモデルも最初のブロックからそうです" : ""}。見える範囲と実際に効く範囲は別です。実効受容野は、中央の位置の勾配の 95 % を含む正方形です。`,
  },
};

const ko: Script<"field", Told> = {
  field: {
    title: "깊이에 따른 수용 영역",
    text: ({ side, attends, stack }) =>
      `3 × 3 합성곱은 양쪽으로 한 픽셀씩 더 보므로 스트라이드 없이 ${side}픽셀을 보려면 ${stack}층이 필요합니다. 스트라이드와 큰 커널은 더 빨리 넓힙니다. 어텐션은 한 층에서 이미지 전체(점선)에 묻습니다${attends ? ". 이 모델도 첫 블록부터 그렇습니다" : ""}. 볼 수 있는 범위와 실제로 영향을 주는 범위는 다릅니다. 유효 수용 영역은 가운데 자리의 기울기 95 %를 담는 정사각형입니다.`,
  },
};

const SCRIPT: ByLanguage<Script<"field", Told>> = { en, ja, ko };

/** Smallest side of an image for which ResNet-18 is drawn beside. */
const RESNET_SIDE = 32;

/** The model's receptive field by depth beside a CNN's and attention's. Throws TesseraeError("model"). */
export async function fieldStep(context: LectureContext): Promise<Step> {
  const { subject, picture, language } = context;
  const { labels } = WORDS[language];
  const [, height, width] = subject.model.inputShape;
  const side = Math.sqrt(height * width);
  const fields = await fieldsByDepth({ ...subject, pictures: [picture] });
  const depths = fields.map((f) => f.depth);
  const attends = fields.some(({ depth, attends }) => depth === 1 && attends);
  const flat = (name: string, at: (depth: number) => number): DepthSeries => ({
    name,
    points: depths.map((depth) => ({ depth, side: at(depth) })),
  });
  const own = seriesOf(fields, [height, width], {
    composed: attends ? labels.attention : labels.composed,
    effective: labels.effective,
  });
  const isResnet = subject.model.name.startsWith("resnet");
  const others = [
    ...(isResnet || Math.min(height, width) < RESNET_SIDE ? [] : [resnet([height, width], labels.resnet)]),
    flat(labels.stacked, (depth) => 2 * depth + 1),
    ...(attends ? [] : [flat(labels.attention, (depth) => (depth > 0 ? side : 1))]),
  ];
  const { title } = SCRIPT[language].field;
  return step(
    SCRIPT[language],
    "field",
    { side: Math.round(side), attends, stack: Math.ceil((side - 1) / 2) },
    {
      drawing: depthChart([...own, ...others].map(within(side)), [height, width], {
        title,
        caption: title,
        depth: labels.layer,
        side: labels.field,
        data: fields,
      }),
    },
  );
}

/** Lines that end where all of the image is seen. */
const within =
  (side: number) =>
  ({ name, points }: DepthSeries): DepthSeries => ({
    name,
    points: points.map((p) => ({ ...p, side: Math.min(side, p.side) })),
  });

/** ResNet-18's field by composition, for images of the same size. */
function resnet(size: readonly [number, number], name: string): DepthSeries {
  const fields = composedByDepth(resizeModel(createModel("resnet18"), size));
  return seriesOf(fields, size, { composed: name, effective: name })[0];
}
