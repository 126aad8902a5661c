import type { Script } from "../lecture.ts";
import type { ByLanguage } from "../words.ts";

/** Numbers that the sentences name. */
export interface Told {
  /** Of the stem's map. */
  readonly stem: readonly [number, number];
  readonly stemChannels: number;
  /** Of the first stage's map. */
  readonly rows: number;
  readonly columns: number;
  readonly patch: number;
  readonly dim: number;
  readonly hidden: number;
  readonly heads: number;
  readonly channel: number;
  readonly gate: number;
  readonly window: readonly [number, number];
  readonly grid: readonly [number, number];
  /** Rows and columns between neighbours of a grid. */
  readonly stride: readonly [number, number];
  readonly offset: readonly [number, number];
  readonly bias: number;
  /** Whether the bias is a network of the offset. */
  readonly network: boolean;
  readonly stages: number;
}

export type StepName = "stem" | "mbconv" | "excite" | "shortcut" | "axes" | "bias" | "add" | "stages";

const cells = ({ window: [h, w] }: Told) => `${2 * h - 1} × ${2 * w - 1}`;

const en: Script<StepName, Told> = {
  stem: {
    title: "The stem",
    text: (t) =>
      `Two 3 × 3 convolutions, the first with stride 2, make ${t.stemChannels} maps of ${t.stem.join(" × ")}. No patches yet: the first blocks are convolutions.`,
  },
  mbconv: {
    title: "MBConv: expand, and a depthwise convolution",
    text: (t) =>
      `Each block of the model begins with an inverted bottleneck: a 1 × 1 convolution to ${t.hidden} channels, then a depthwise 3 × 3 convolution, one kernel a channel, which in the first block of a stage has stride 2. It also tells where things are, so that no position vector is needed. Channel ${t.channel} is drawn.`,
  },
  excite: {
    title: "Squeeze and excite",
    text: (t) =>
      `The mean of each channel over the image goes through two small layers to a number between 0 and 1 by which the channel is multiplied: channel ${t.channel} by ${t.gate.toFixed(3)}. It is the first step in which all of the image has a say.`,
  },
  shortcut: {
    title: "Project, and the shortcut",
    text: (t) =>
      `A 1 × 1 convolution brings ${t.hidden} channels to ${t.dim}, and the input (here halved by averaging) is added. Shown is place ${t.patch} of the ${t.rows} × ${t.columns} map.`,
  },
  axes: {
    title: "Block and grid: two axes of attention",
    text: (t) =>
      `First the place (red) asks its neighbours: a block of ${t.window.join(" × ")} (amber). Then it asks a grid of ${t.grid.join(" × ")} places that lie ${t.stride.join(" and ")} apart and so are spread over all of the image. One after the other every place hears of every other, at a cost that grows with the image and not with its square (section 3 of the paper). Head 0 of ${t.heads}.`,
  },
  bias: {
    title: "Two places, their offset, their bias",
    text: (t) =>
      `To each score a bias is added that belongs to the offset of the two places within the block: ${cells(t)} cells a head${t.network ? ", here made by a small network of the offset" : ", learned"}. The place (red) and the one that it asks most (amber) are (${t.offset.join(", ")}) rows and columns apart: the framed cell, ${t.bias.toFixed(4)}.`,
  },
  add: {
    title: "The residuals",
    text: () =>
      "Block attention adds to what the convolutions gave, and its MLP too; then grid attention and its MLP do the same.",
  },
  stages: {
    title: "Stage after stage",
    text: (t) => `The same in ${t.stages} stages, the map halved in each. Of each its most uneven channel.`,
  },
};

const ja: Script<StepName, Told> = {
  stem: {
    title: "ステム",
    text: (t) =>
      `3 × 3 の畳み込み 2 つ(最初はストライド 2)で、${t.stem.join(" × ")} の地図を ${t.stemChannels} 枚作ります。まだパッチはありません。初めは畳み込みです。`,
  },
  mbconv: {
    title: "MBConv: 拡張とデプスワイズ畳み込み",
    text: (t) =>
      `モデルの各ブロックは逆ボトルネックで始まります。1 × 1 の畳み込みで ${t.hidden} チャンネルに広げ、チャンネルごとに 1 つのカーネルをもつ 3 × 3 のデプスワイズ畳み込みを掛けます。ステージの最初のブロックではストライド 2 です。位置もここで分かるので、位置ベクトルは要りません。図はチャンネル ${t.channel} です。`,
  },
  excite: {
    title: "スクイーズ・アンド・エキサイト",
    text: (t) =>
      `各チャンネルの画像全体の平均を小さな 2 層に通して 0 から 1 の数にし、チャンネルに掛けます。チャンネル ${t.channel} には ${t.gate.toFixed(3)}。画像全体が口を出す最初の段階です。`,
  },
  shortcut: {
    title: "射影とショートカット",
    text: (t) =>
      `1 × 1 の畳み込みで ${t.hidden} チャンネルを ${t.dim} に戻し、入力(ここでは平均で半分にしたもの)を足します。図は ${t.rows} × ${t.columns} の地図の位置 ${t.patch} です。`,
  },
  axes: {
    title: "ブロックとグリッド: アテンションの 2 つの軸",
    text: (t) =>
      `まず位置(赤)は隣に尋ねます。${t.window.join(" × ")} のブロック(橙)です。次に、縦横に ${t.stride.join("、")} ずつ離れて画像全体に散らばる ${t.grid.join(" × ")} のグリッドに尋ねます。この 2 つで、すべての位置がすべての位置のことを知ります。計算量は画像の大きさの 2 乗ではなく、大きさに比例します(論文の 3 節)。${t.heads} 個のうちヘッド 0 です。`,
  },
  bias: {
    title: "2 つの位置、その隔たり、そのバイアス",
    text: (t) =>
      `スコアには、ブロック内の 2 つの位置の隔たりごとに決まるバイアスを足します。ヘッドごとに ${cells(t)} マス${t.network ? "で、ここでは隔たりを入力とする小さなネットワークが作ります" : "の学習された表です"}。位置(赤)と最も強く尋ねる相手(橙)の隔たりは行と列で (${t.offset.join(", ")})。枠で囲んだマス、${t.bias.toFixed(4)} です。`,
  },
  add: {
    title: "残差",
    text: () =>
      "畳み込みの結果に、ブロックアテンションとその MLP が足され、続いてグリッドアテンションとその MLP が足されます。",
  },
  stages: {
    title: "ステージを重ねる",
    text: (t) =>
      `同じことを ${t.stages} ステージ、地図を半分にしながら行います。それぞれ最もむらのあるチャンネルを示します。`,
  },
};

const ko: Script<StepName, Told> = {
  stem: {
    title: "스템",
    text: (t) =>
      `3 × 3 합성곱 둘(첫째는 스트라이드 2)이 ${t.stem.join(" × ")} 지도 ${t.stemChannels}장을 만듭니다. 아직 패치는 없습니다. 처음은 합성곱입니다.`,
  },
  mbconv: {
    title: "MBConv: 확장과 깊이별 합성곱",
    text: (t) =>
      `모델의 각 블록은 역병목으로 시작합니다. 1 × 1 합성곱으로 ${t.hidden}개 채널로 넓힌 뒤, 채널마다 커널이 하나인 3 × 3 깊이별 합성곱을 합니다. 단계의 첫 블록에서는 스트라이드가 2입니다. 자리도 여기서 알 수 있어 위치 벡터가 필요 없습니다. 그림은 ${t.channel}번 채널입니다.`,
  },
  excite: {
    title: "스퀴즈 앤드 엑사이트",
    text: (t) =>
      `채널마다 이미지 전체의 평균을 작은 두 층에 넣어 0과 1 사이의 수를 얻고 그것을 채널에 곱합니다. ${t.channel}번 채널에는 ${t.gate.toFixed(3)}. 이미지 전체가 처음으로 관여하는 단계입니다.`,
  },
  shortcut: {
    title: "투영과 지름길",
    text: (t) =>
      `1 × 1 합성곱이 ${t.hidden}개 채널을 ${t.dim}개로 줄이고, 입력(여기서는 평균으로 반으로 줄인 것)을 더합니다. 그림은 ${t.rows} × ${t.columns} 지도의 ${t.patch}번 자리입니다.`,
  },
  axes: {
    title: "블록과 격자: 어텐션의 두 축",
    text: (t) =>
      `먼저 자리(빨강)는 이웃에게 묻습니다. ${t.window.join(" × ")} 블록(주황)입니다. 다음으로 가로세로 ${t.stride.join(", ")}씩 떨어져 이미지 전체에 흩어진 ${t.grid.join(" × ")} 격자에 묻습니다. 이 둘을 차례로 거치면 모든 자리가 모든 자리의 소식을 듣고, 비용은 이미지 크기의 제곱이 아니라 크기에 비례합니다(논문 3절). 헤드 ${t.heads}개 가운데 0번입니다.`,
  },
  bias: {
    title: "두 자리, 그 간격, 그 바이어스",
    text: (t) =>
      `점수마다 블록 안 두 자리의 간격에 딸린 바이어스를 더합니다. 헤드마다 ${cells(t)}칸이며 ${t.network ? "여기서는 간격을 받는 작은 신경망이 만듭니다" : "학습된 표입니다"}. 자리(빨강)와 가장 많이 묻는 상대(주황)는 행과 열로 (${t.offset.join(", ")}) 떨어져 있습니다. 테두리 친 칸, ${t.bias.toFixed(4)}입니다.`,
  },
  add: {
    title: "잔차",
    text: () => "합성곱의 결과에 블록 어텐션과 그 MLP가 더해지고, 이어서 격자 어텐션과 그 MLP가 더해집니다.",
  },
  stages: {
    title: "단계를 거듭하여",
    text: (t) =>
      `같은 일을 ${t.stages}개 단계에서, 지도를 반씩 줄이며 합니다. 각각 가장 고르지 않은 채널을 보여 줍니다.`,
  },
};

export const SCRIPT: ByLanguage<Script<StepName, Told>> = { en, ja, ko };
