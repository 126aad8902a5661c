import type { Script } from "../lecture.ts";
import type { ByLanguage } from "../words.ts";

/** Numbers that the sentences name. */
export interface Told {
  readonly places: number;
  readonly dim: number;
  readonly depth: number;
  readonly channel: number;
  readonly patch: number;
  /** Hidden widths of token and channel mixing. */
  readonly hiddenTokens: number;
  readonly hiddenChannels: number;
  /** Channels of the table that are drawn. */
  readonly drawn: number;
}

export type StepName = "table" | "tokens" | "residual" | "channels" | "layers";

const en: Script<StepName, Told> = {
  table: {
    title: "A table of patches × channels",
    text: (t) =>
      `All patches make a table of ${t.places} rows and ${t.dim} columns; of the columns ${t.drawn} are drawn. Everything that follows turns this table: on its side for the patches, upright for the channels. There is no position vector: each row has its own weights in token mixing, and so its place.`,
  },
  tokens: {
    title: "Token mixing, on the transposed table",
    text: (t) =>
      `The normalised table is transposed: ${t.dim} rows of ${t.places} numbers, one row a channel. An MLP ${t.places} → ${t.hiddenTokens} → ${t.places} goes over each row, with the same weights for all channels (equation 1 of the paper): here a patch hears of the others. Channel ${t.channel} is drawn over the image before and after.`,
  },
  residual: {
    title: "Turned back, and added",
    text: (t) => `Transposed again, it is added to the table that came in. Shown is the row of patch ${t.patch}.`,
  },
  channels: {
    title: "Channel mixing",
    text: (t) =>
      `An MLP ${t.dim} → ${t.hiddenChannels} → ${t.dim} over each row, the same for all patches: each patch alone, its channels with each other. Its result is added too.`,
  },
  layers: {
    title: "Layer after layer",
    text: (t) =>
      `The same ${t.depth} times. The row of the patch as it leaves each block, and its cosine with every other: bright patches have become alike.`,
  },
};

const ja: Script<StepName, Told> = {
  table: {
    title: "パッチ × チャンネルの表",
    text: (t) =>
      `すべてのパッチで ${t.places} 行 ${t.dim} 列の表ができます(図は ${t.drawn} 列分)。ここからはこの表を、パッチを混ぜるときは横に倒し、チャンネルを混ぜるときは元に戻します。位置ベクトルはありません。トークンミキシングでは行ごとに別の重みが掛かるので、それが位置になります。`,
  },
  tokens: {
    title: "転置した表でのトークンミキシング",
    text: (t) =>
      `正規化した表を転置すると、1 行が 1 チャンネルの、${t.places} 個の数が ${t.dim} 行並びます。各行に ${t.places} → ${t.hiddenTokens} → ${t.places} の MLP を、全チャンネル共通の重みで適用します(論文の式 1)。ここでパッチは他のパッチのことを知ります。図はチャンネル ${t.channel} の前後です。`,
  },
  residual: {
    title: "元に戻して足す",
    text: (t) => `もう一度転置して、入ってきた表に足します。図はパッチ ${t.patch} の行です。`,
  },
  channels: {
    title: "チャンネルミキシング",
    text: (t) =>
      `各行に ${t.dim} → ${t.hiddenChannels} → ${t.dim} の MLP を、全パッチ共通の重みで適用します。パッチごとに独立に、チャンネル同士を混ぜます。これも足されます。`,
  },
  layers: {
    title: "層を重ねる",
    text: (t) =>
      `同じことを ${t.depth} 回繰り返します。各ブロックを出るときのパッチの行と、他のすべてのパッチとのコサインです。明るいほど似ています。`,
  },
};

const ko: Script<StepName, Told> = {
  table: {
    title: "패치 × 채널 표",
    text: (t) =>
      `모든 패치가 ${t.places}행 ${t.dim}열의 표를 이룹니다(그림은 ${t.drawn}열). 이제부터는 이 표를 패치를 섞을 때는 눕히고 채널을 섞을 때는 세웁니다. 위치 벡터는 없습니다. 토큰 섞기에서 행마다 가중치가 다르므로 그것이 자리를 알려 줍니다.`,
  },
  tokens: {
    title: "전치한 표에서 토큰 섞기",
    text: (t) =>
      `정규화한 표를 전치하면 한 행이 한 채널인, 수 ${t.places}개짜리 행 ${t.dim}개가 됩니다. 각 행에 ${t.places} → ${t.hiddenTokens} → ${t.places} MLP를 모든 채널에 같은 가중치로 적용합니다(논문의 식 1). 여기서 패치는 다른 패치의 소식을 듣습니다. 그림은 ${t.channel}번 채널의 전후입니다.`,
  },
  residual: {
    title: "되돌려 더하기",
    text: (t) => `다시 전치하여 들어온 표에 더합니다. 그림은 패치 ${t.patch}번의 행입니다.`,
  },
  channels: {
    title: "채널 섞기",
    text: (t) =>
      `각 행에 ${t.dim} → ${t.hiddenChannels} → ${t.dim} MLP를 모든 패치에 같은 가중치로 적용합니다. 패치마다 따로 채널끼리 섞습니다. 이 결과도 더합니다.`,
  },
  layers: {
    title: "층을 거듭하여",
    text: (t) =>
      `같은 일을 ${t.depth}번 되풀이합니다. 각 블록을 나설 때의 패치 행과, 다른 모든 패치와의 코사인입니다. 밝을수록 비슷해진 패치입니다.`,
  },
};

export const SCRIPT: ByLanguage<Script<StepName, Told>> = { en, ja, ko };
