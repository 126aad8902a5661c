import type { Script } from "../lecture.ts";
import type { ByLanguage } from "../words.ts";

/** Numbers that the sentences name. */
export interface Told {
  readonly dim: number;
  readonly depth: number;
  readonly kernel: number;
  readonly channel: number;
  readonly patch: number;
  readonly places: number;
  /** The channel at the patch: after the depthwise convolution. */
  readonly value: number;
  /** Whether the skip around the depthwise half is there. */
  readonly residual: boolean;
}

export type StepName = "embed" | "depthwise" | "residual" | "pointwise" | "layers";

const weights = ({ dim, kernel }: Told) => `${dim} · ${kernel}² = ${dim * kernel ** 2}`;

const en: Script<StepName, Told> = {
  embed: {
    title: "Patch embedding",
    text: (t) =>
      `This projection is a convolution whose kernel and stride are the patch. Then comes what follows every convolution here: the activation σ and a norm over the batch, z = norm(σ(W x)) (equation 1 of the paper). ${t.places} places of ${t.dim} numbers, and from here to the end it stays so.`,
  },
  depthwise: {
    title: "Depthwise convolution: places are mixed",
    text: (t) =>
      `Every channel has a ${t.kernel} × ${t.kernel} kernel of its own and sees no other channel: ${weights(t)} weights in all. Channel ${t.channel} is drawn. Laid on patch ${t.patch}, its kernel times what lies under it, summed, gives ${t.value.toFixed(3)}.`,
  },
  residual: {
    title: "The residual",
    text: (t) =>
      t.residual
        ? "After σ and norm the result is added to what came in (equation 2): a block may leave a place as it was."
        : "This model leaves out the residual (the paper's ablation): the result takes the place of what came in.",
  },
  pointwise: {
    title: "Pointwise convolution: channels are mixed",
    text: (t) =>
      `A 1 × 1 convolution is one matrix of ${t.dim} × ${t.dim} for all places: each place alone, its ${t.dim} channels with each other; then σ and norm (equation 3). Shown is patch ${t.patch}.`,
  },
  layers: {
    title: "Layer after layer",
    text: (t) =>
      `The same ${t.depth} times. The vector of the patch as it leaves each block, and its cosine with every other place: bright places have become alike.`,
  },
};

const ja: Script<StepName, Told> = {
  embed: {
    title: "パッチ埋め込み",
    text: (t) =>
      `この射影は、カーネルとストライドがパッチの大きさに等しい畳み込みです。続いて、このモデルのすべての畳み込みと同じように活性化関数 σ とバッチ方向の正規化を通します。z = norm(σ(W x))(論文の式 1)。${t.dim} 個の数をもつ ${t.places} か所になり、最後までこの形のままです。`,
  },
  depthwise: {
    title: "デプスワイズ畳み込み: 位置を混ぜる",
    text: (t) =>
      `チャンネルごとに専用の ${t.kernel} × ${t.kernel} カーネルがあり、他のチャンネルは見ません。重みは全部で ${weights(t)} 個です。図はチャンネル ${t.channel}。パッチ ${t.patch} に重ねたカーネルと、その下の値との積の和は ${t.value.toFixed(3)} です。`,
  },
  residual: {
    title: "残差",
    text: (t) =>
      t.residual
        ? "σ と正規化のあと、結果を入ってきた値に足します(式 2)。ブロックは位置をそのまま残すこともできます。"
        : "このモデルは残差を省いています(論文の切除実験)。結果が入ってきた値に置き換わります。",
  },
  pointwise: {
    title: "ポイントワイズ畳み込み: チャンネルを混ぜる",
    text: (t) =>
      `1 × 1 畳み込みは、全位置に共通の ${t.dim} × ${t.dim} 行列です。位置ごとに独立に ${t.dim} チャンネルを混ぜ、σ と正規化を通します(式 3)。図はパッチ ${t.patch} です。`,
  },
  layers: {
    title: "層を重ねる",
    text: (t) =>
      `同じことを ${t.depth} 回繰り返します。各ブロックを出るときのパッチのベクトルと、他のすべての位置とのコサインです。明るい位置ほど似ています。`,
  },
};

const ko: Script<StepName, Told> = {
  embed: {
    title: "패치 임베딩",
    text: (t) =>
      `이 투영은 커널과 스트라이드가 패치 크기와 같은 합성곱입니다. 이어서 이 모델의 모든 합성곱이 그렇듯 활성화 함수 σ와 배치 정규화를 거칩니다. z = norm(σ(W x))(논문의 식 1). 수 ${t.dim}개를 가진 자리 ${t.places}곳이 되며 끝까지 이 모양입니다.`,
  },
  depthwise: {
    title: "깊이별 합성곱: 자리를 섞는다",
    text: (t) =>
      `채널마다 자기만의 ${t.kernel} × ${t.kernel} 커널이 있고 다른 채널은 보지 않습니다. 가중치는 모두 ${weights(t)}개입니다. 그림은 ${t.channel}번 채널입니다. 패치 ${t.patch}번에 얹은 커널과 그 아래 값의 곱을 더하면 ${t.value.toFixed(3)}입니다.`,
  },
  residual: {
    title: "잔차",
    text: (t) =>
      t.residual
        ? "σ와 정규화를 거친 결과를 들어온 값에 더합니다(식 2). 블록은 자리를 그대로 둘 수도 있습니다."
        : "이 모델은 잔차를 뺐습니다(논문의 절제 실험). 결과가 들어온 값을 대신합니다.",
  },
  pointwise: {
    title: "점별 합성곱: 채널을 섞는다",
    text: (t) =>
      `1 × 1 합성곱은 모든 자리에 공통인 ${t.dim} × ${t.dim} 행렬입니다. 자리마다 따로 ${t.dim}개 채널을 서로 섞고 σ와 정규화를 거칩니다(식 3). 그림은 패치 ${t.patch}번입니다.`,
  },
  layers: {
    title: "층을 거듭하여",
    text: (t) =>
      `같은 일을 ${t.depth}번 되풀이합니다. 각 블록을 나설 때의 패치 벡터와, 다른 모든 자리와의 코사인입니다. 밝은 자리일수록 비슷해진 곳입니다.`,
  },
};

export const SCRIPT: ByLanguage<Script<StepName, Told>> = { en, ja, ko };
