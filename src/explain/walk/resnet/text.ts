import type { Script } from "../lecture.ts";
import type { ByLanguage } from "../words.ts";

/** Numbers that the sentences name. */
export interface Told {
  readonly kernel: number;
  readonly filters: number;
  readonly channel: number;
  /** Of the first block's map. */
  readonly rows: number;
  readonly columns: number;
  readonly blockChannel: number;
  readonly patch: number;
  /** F(x), the shortcut, and what leaves the block at the place. */
  readonly residual: number;
  readonly shortcut: number;
  readonly after: number;
  readonly bottleneck: boolean;
  /** Whether F gives nothing but zeros, as fresh weights have it. */
  readonly silent: boolean;
  readonly blocks: readonly number[];
  readonly features: number;
  readonly last: readonly [number, number];
}

export type StepName = "stem" | "block" | "stages" | "pool";

const en: Script<StepName, Told> = {
  stem: {
    title: "The stem: filters over the image",
    text: (t) =>
      `A convolution lays ${t.filters} filters of ${t.kernel} × ${t.kernel} over the image with stride 2: each asks the same of every place. Filter ${t.channel} and what it gives are drawn. A norm over the batch, relu and a 3 × 3 maximum with stride 2 follow; ${t.rows} × ${t.columns} places are left.`,
  },
  block: {
    title: "A residual block",
    text: (t) =>
      `${t.bottleneck ? "1 × 1, 3 × 3 and 1 × 1 convolutions" : "Two 3 × 3 convolutions"}, each with a norm, make F(x); a shortcut carries x past them, and y = relu(F(x) + shortcut) (equation 1 of the paper). The block learns only what is to be changed, and gradients find a way past it. Channel ${t.blockChannel} at place ${t.patch}: ${t.residual.toFixed(3)} + ${t.shortcut.toFixed(3)}, by relu ${t.after.toFixed(3)}.${t.silent ? " Here F is still 0 everywhere: its last norm begins with the factor 0, so that the block begins as its shortcut." : ""}`,
  },
  stages: {
    title: "Stage after stage",
    text: (t) =>
      `${t.blocks.join(" + ")} blocks in four stages; at the beginning of each but the first, the map is halved and the channels doubled. Of each the most uneven channel.`,
  },
  pool: {
    title: "The mean over all places",
    text: (t) =>
      `Each of ${t.features} channels is averaged over its ${t.last.join(" × ")} places: where something was is forgotten, that it was there is kept.`,
  },
};

const ja: Script<StepName, Told> = {
  stem: {
    title: "ステム: 画像に掛けるフィルタ",
    text: (t) =>
      `畳み込みが ${t.kernel} × ${t.kernel} のフィルタ ${t.filters} 個を、ストライド 2 で画像に重ねます。それぞれがすべての場所に同じことを尋ねます。図はフィルタ ${t.channel} とその出力です。バッチ正規化、relu、ストライド 2 の 3 × 3 最大値が続き、${t.rows} × ${t.columns} か所が残ります。`,
  },
  block: {
    title: "残差ブロック",
    text: (t) =>
      `${t.bottleneck ? "1 × 1、3 × 3、1 × 1 の畳み込み" : "3 × 3 の畳み込み 2 つ"}が、それぞれ正規化を伴って F(x) を作ります。ショートカットが x を運び、y = relu(F(x) + ショートカット) となります(論文の式 1)。ブロックは変えるべき分だけを学び、勾配には抜け道ができます。チャンネル ${t.blockChannel} の位置 ${t.patch}: ${t.residual.toFixed(3)} + ${t.shortcut.toFixed(3)}、relu で ${t.after.toFixed(3)}。${t.silent ? "ここでは F はどこでもまだ 0 です。最後の正規化の係数が 0 から始まり、ブロックはショートカットそのものとして始まります。" : ""}`,
  },
  stages: {
    title: "ステージを重ねる",
    text: (t) =>
      `4 つのステージに ${t.blocks.join(" + ")} 個のブロックがあり、2 つ目以降のステージの初めで地図は半分、チャンネルは 2 倍になります。それぞれ最もむらのあるチャンネルを示します。`,
  },
  pool: {
    title: "全位置の平均",
    text: (t) =>
      `${t.features} 個のチャンネルを、それぞれ ${t.last.join(" × ")} か所で平均します。どこにあったかは忘れ、あったことだけを残します。`,
  },
};

const ko: Script<StepName, Told> = {
  stem: {
    title: "스템: 이미지 위의 필터",
    text: (t) =>
      `합성곱이 ${t.kernel} × ${t.kernel} 필터 ${t.filters}개를 스트라이드 2로 이미지 위에 얹습니다. 저마다 모든 자리에 같은 것을 묻습니다. 그림은 필터 ${t.channel}번과 그 출력입니다. 배치 정규화, relu, 스트라이드 2의 3 × 3 최댓값이 뒤따르고 ${t.rows} × ${t.columns}곳이 남습니다.`,
  },
  block: {
    title: "잔차 블록",
    text: (t) =>
      `${t.bottleneck ? "1 × 1, 3 × 3, 1 × 1 합성곱" : "3 × 3 합성곱 둘"}이 저마다 정규화와 함께 F(x)를 만듭니다. 지름길이 x를 나르고 y = relu(F(x) + 지름길)이 됩니다(논문의 식 1). 블록은 바꿀 것만 배우고, 기울기에는 돌아갈 길이 생깁니다. ${t.blockChannel}번 채널의 ${t.patch}번 자리: ${t.residual.toFixed(3)} + ${t.shortcut.toFixed(3)}, relu를 거쳐 ${t.after.toFixed(3)}.${t.silent ? " 여기서 F는 아직 어디서나 0입니다. 마지막 정규화의 계수가 0에서 시작하므로 블록은 지름길 그대로 시작합니다." : ""}`,
  },
  stages: {
    title: "단계를 거듭하여",
    text: (t) =>
      `네 단계에 블록이 ${t.blocks.join(" + ")}개 있고, 둘째 단계부터는 시작할 때 지도가 반으로 줄고 채널이 두 배가 됩니다. 각각 가장 고르지 않은 채널을 보여 줍니다.`,
  },
  pool: {
    title: "모든 자리의 평균",
    text: (t) =>
      `채널 ${t.features}개를 저마다 ${t.last.join(" × ")}곳에서 평균합니다. 어디에 있었는지는 잊고, 있었다는 것만 남깁니다.`,
  },
};

export const SCRIPT: ByLanguage<Script<StepName, Told>> = { en, ja, ko };
