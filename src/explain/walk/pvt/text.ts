import type { Script } from "../lecture.ts";
import type { ByLanguage } from "../words.ts";

/** Numbers that the sentences name. */
export interface Told {
  readonly rows: number;
  readonly columns: number;
  readonly patch: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dim: number;
  readonly hidden: number;
  readonly heads: number;
  readonly headDim: number;
  readonly reduced: readonly [number, number];
  /** Side of what becomes one key; undefined: the map is pooled to a fixed size. */
  readonly ratio?: number;
  /** Whether positions are a table. */
  readonly table: boolean;
  readonly stages: number;
}

export type StepName = "embed" | "pyramid" | "reduce" | "scores" | "values" | "add" | "stages";

const places = (t: Told) => t.rows * t.columns;
const keys = ({ reduced: [h, w] }: Told) => h * w;

const en: Script<StepName, Told> = {
  embed: {
    title: "Small patches",
    text: (t) =>
      `A convolution of ${t.kernel} × ${t.kernel} with stride ${t.stride} makes ${t.rows} × ${t.columns} = ${places(t)} patches of ${t.dim} numbers, then a norm${t.table ? "; the vector of its place is added to each" : ". Patches overlap and borders are padded with zeros, which tells places: there is no table of positions"}. Patch ${t.patch} is followed.`,
  },
  pyramid: {
    title: "A pyramid",
    text: (t) =>
      `${t.stages} stages, each on a map of half the side: fine maps for dense tasks, which a ViT with its large patches does not give. Attention among all of so many patches would cost too much: the last column says how many keys are left.`,
  },
  reduce: {
    title: "What the reduction keeps",
    text: (t) =>
      `Keys and values come from a smaller map${t.ratio ? `: a convolution with kernel and stride ${t.ratio} makes one place of ${t.ratio} × ${t.ratio}` : ": the map pooled, then a 1 × 1 convolution"}, then a norm (equation 3 of the paper). Of ${places(t)} places ${t.reduced.join(" × ")} = ${keys(t)} are left; each channel is new, so the two drawn are each map's most uneven ones.`,
  },
  scores: {
    title: "Every patch asks the reduced map",
    text: (t) =>
      `The query of patch ${t.patch} times the ${keys(t)} keys, divided by √${t.headDim}, and softmax: ${places(t)} · ${keys(t)} = ${places(t) * keys(t)} scores a head in place of ${places(t)}² = ${places(t) ** 2}. Head 0 of ${t.heads}.`,
  },
  values: {
    title: "The weighted sum",
    text: () =>
      "The values of the reduced places, weighted by these shares, are added: what is fine within one of them cannot be told apart any more.",
  },
  add: {
    title: "The residual, and the MLP",
    text: (t) =>
      `What attention gives is added to the patch: nothing of the patch itself was reduced. Then the MLP ${t.dim} → ${t.hidden} → ${t.dim} adds its part${t.table ? "" : ", with a 3 × 3 depthwise convolution in its middle"}.`,
  },
  stages: {
    title: "Stage after stage",
    text: (t) => `The maps that the ${t.stages} stages give, of each its most uneven channel.`,
  },
};

const ja: Script<StepName, Told> = {
  embed: {
    title: "小さなパッチ",
    text: (t) =>
      `${t.kernel} × ${t.kernel}、ストライド ${t.stride} の畳み込みが ${t.dim} 個の数をもつ ${t.rows} × ${t.columns} = ${places(t)} 個のパッチを作り、正規化します。${t.table ? "それぞれに場所のベクトルを足します" : "パッチは重なり、縁はゼロで埋められるので位置が分かります。位置の表はありません"}。ここではパッチ ${t.patch} を追います。`,
  },
  pyramid: {
    title: "ピラミッド",
    text: (t) =>
      `${t.stages} 個のステージが、一辺が半分ずつになる地図の上で働きます。大きなパッチの ViT にはない、密な予測のための細かい地図です。これほど多くのパッチ同士のアテンションは高くつきます。最後の列が、残されるキーの数です。`,
  },
  reduce: {
    title: "縮小で残るもの",
    text: (t) =>
      `キーとバリューは小さな地図から作ります。${t.ratio ? `カーネルとストライドが ${t.ratio} の畳み込みが ${t.ratio} × ${t.ratio} を 1 か所にまとめ` : "地図をプーリングして 1 × 1 の畳み込みを掛け"}、正規化します(論文の式 3)。${places(t)} か所のうち ${t.reduced.join(" × ")} = ${keys(t)} か所が残ります。チャンネルは作り直されるので、図はそれぞれ最もむらのあるチャンネルです。`,
  },
  scores: {
    title: "すべてのパッチが縮小した地図に尋ねる",
    text: (t) =>
      `パッチ ${t.patch} のクエリと ${keys(t)} 個のキーの内積を √${t.headDim} で割り、ソフトマックスにかけます。スコアはヘッドごとに ${places(t)}² = ${places(t) ** 2} 個ではなく ${places(t)} · ${keys(t)} = ${places(t) * keys(t)} 個です。${t.heads} 個のうちヘッド 0 です。`,
  },
  values: {
    title: "重み付きの和",
    text: () =>
      "縮小した各位置のバリューを、この割合で重み付けして足します。1 か所の内側の細かい違いは、もう区別できません。",
  },
  add: {
    title: "残差と MLP",
    text: (t) =>
      `アテンションの結果をパッチに足します。パッチ自身は縮小されていません。続いて ${t.dim} → ${t.hidden} → ${t.dim} の MLP${t.table ? "" : "(途中に 3 × 3 のデプスワイズ畳み込みを含む)"}も足します。`,
  },
  stages: {
    title: "ステージを重ねる",
    text: (t) => `${t.stages} 個のステージが出す地図です。それぞれ最もむらのあるチャンネルを示します。`,
  },
};

const ko: Script<StepName, Told> = {
  embed: {
    title: "작은 패치",
    text: (t) =>
      `${t.kernel} × ${t.kernel}, 스트라이드 ${t.stride} 합성곱이 수 ${t.dim}개를 가진 패치 ${t.rows} × ${t.columns} = ${places(t)}개를 만들고 정규화합니다. ${t.table ? "각각에 그 자리의 벡터를 더합니다" : "패치가 겹치고 가장자리가 0으로 채워져 자리를 알 수 있으므로 위치 표가 없습니다"}. 여기서는 패치 ${t.patch}번을 따라갑니다.`,
  },
  pyramid: {
    title: "피라미드",
    text: (t) =>
      `${t.stages}개 단계가 한 변이 반씩 줄어드는 지도 위에서 일합니다. 큰 패치를 쓰는 ViT에는 없는, 조밀한 과제를 위한 고운 지도입니다. 이렇게 많은 패치 사이의 어텐션은 너무 비쌉니다. 마지막 열이 남는 키의 수입니다.`,
  },
  reduce: {
    title: "축소가 남기는 것",
    text: (t) =>
      `키와 값은 더 작은 지도에서 나옵니다. ${t.ratio ? `커널과 스트라이드가 ${t.ratio}인 합성곱이 ${t.ratio} × ${t.ratio}를 한 자리로 모으고` : "지도를 풀링하여 1 × 1 합성곱을 하고"} 정규화합니다(논문의 식 3). ${places(t)}곳 가운데 ${t.reduced.join(" × ")} = ${keys(t)}곳이 남습니다. 채널은 새로 만들어지므로 그림은 각 지도에서 가장 고르지 않은 채널입니다.`,
  },
  scores: {
    title: "모든 패치가 축소된 지도에 묻는다",
    text: (t) =>
      `패치 ${t.patch}번의 쿼리와 키 ${keys(t)}개의 내적을 √${t.headDim}로 나누고 소프트맥스를 거칩니다. 점수는 헤드마다 ${places(t)}² = ${places(t) ** 2}개가 아니라 ${places(t)} · ${keys(t)} = ${places(t) * keys(t)}개입니다. 헤드 ${t.heads}개 가운데 0번입니다.`,
  },
  values: {
    title: "가중합",
    text: () => "축소된 자리들의 값을 이 비율로 가중해 더합니다. 한 자리 안의 고운 차이는 더는 가려낼 수 없습니다.",
  },
  add: {
    title: "잔차와 MLP",
    text: (t) =>
      `어텐션의 결과를 패치에 더합니다. 패치 자신은 축소되지 않았습니다. 이어서 ${t.dim} → ${t.hidden} → ${t.dim} MLP${t.table ? "" : "(가운데에 3 × 3 깊이별 합성곱)"}도 제 몫을 더합니다.`,
  },
  stages: {
    title: "단계를 거듭하여",
    text: (t) => `${t.stages}개 단계가 내는 지도입니다. 각각 가장 고르지 않은 채널을 보여 줍니다.`,
  },
};

export const SCRIPT: ByLanguage<Script<StepName, Told>> = { en, ja, ko };
