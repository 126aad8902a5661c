import type { Script } from "../lecture.ts";
import type { ByLanguage, Words } from "../words.ts";

/** Numbers that the sentences name. */
export interface Told {
  /** Patches of the image. */
  readonly patches: number;
  /** Tokens before the patches. */
  readonly prefix: number;
  readonly patch: number;
  readonly dim: number;
  readonly heads: number;
  readonly headDim: number;
  readonly layers: number;
  /** Width of the MLP. */
  readonly hidden: number;
}

export type StepName = "position" | "qkv" | "scores" | "values" | "heads" | "mlp" | "layers" | "lines";

type OwnLabel = "divided" | "undivided" | "position" | "token" | "all" | "hover" | "classToken";
export type Labels = Words["labels"] & Readonly<Record<OwnLabel, string>>;

const en: Script<StepName, Told> = {
  position: {
    title: "Class token and position",
    text: (t) =>
      `${t.prefix > 0 ? `${t.prefix} learned ${t.prefix > 1 ? "tokens stand" : "token stands"} before the patches: ${t.patches} + ${t.prefix} = ${t.patches + t.prefix} tokens. ` : ""}To each patch the vector of its place is added; without it the model would not know where a patch was. The small map shows how alike the place of patch ${t.patch} is to all others.`,
  },
  qkv: {
    title: "Query, key and value",
    text: (t) =>
      `The normalised token is multiplied by three matrices. As in a dictionary: the query is what it asks, keys are what the others offer to be found by, values are what they tell. Shown is head 0 of ${t.heads}, ${t.headDim} numbers each.`,
  },
  scores: {
    title: "Scores and softmax",
    text: (t) =>
      `The query times each key is a score, divided by √${t.headDim} and turned by softmax into shares that sum to one. Without the division the largest score takes nearly all, and its gradient vanishes.`,
  },
  values: {
    title: "The weighted sum",
    text: () => "The values of all tokens, weighted by these shares, are added: what this head tells the patch.",
  },
  heads: {
    title: "Heads joined, and the residual",
    text: (t) =>
      `The ${t.heads} heads, ${t.headDim} numbers each, are joined to ${t.dim} and projected. The result is added to the token that came in, not put in its place.`,
  },
  mlp: {
    title: "The MLP",
    text: (t) => `Each token alone: ${t.dim} → ${t.hidden} → ${t.dim} with GELU between. Its result is added too.`,
  },
  layers: {
    title: "Layer after layer",
    text: (t) =>
      `The same ${t.layers} times. The row of the patch as it leaves each block, and where the class token looks in it.`,
  },
  lines: { title: "Who asks whom", text: () => "Lines from a patch to those it attends to; the wider, the more." },
};

const ja: Script<StepName, Told> = {
  position: {
    title: "クラストークンと位置",
    text: (t) =>
      `${t.prefix > 0 ? `パッチの前に学習されたトークンが ${t.prefix} 個置かれ、${t.patches} + ${t.prefix} = ${t.patches + t.prefix} 個になります。` : ""}各パッチにはその場所のベクトルを足します。これがなければ、パッチがどこにあったか分かりません。小さな地図は、パッチ ${t.patch} の位置が他の位置とどれほど似ているかを示します。`,
  },
  qkv: {
    title: "クエリ、キー、バリュー",
    text: (t) =>
      `正規化したトークンに 3 つの行列を掛けます。辞書にたとえると、クエリは尋ねる内容、キーは見出し、バリューは説明です。${t.heads} 個のうちヘッド 0 の ${t.headDim} 個ずつの数を示します。`,
  },
  scores: {
    title: "スコアとソフトマックス",
    text: (t) =>
      `クエリと各キーの内積がスコアです。√${t.headDim} で割り、ソフトマックスで合計 1 の割合にします。割らないと最大のスコアがほぼすべてを占め、勾配が消えます。`,
  },
  values: {
    title: "重み付きの和",
    text: () =>
      "すべてのトークンのバリューを、この割合で重み付けして足します。これがこのヘッドからパッチへの答えです。",
  },
  heads: {
    title: "ヘッドの結合と残差",
    text: (t) =>
      `${t.headDim} 個ずつの ${t.heads} ヘッドを結合して ${t.dim} 個にし、射影します。結果は置き換えるのではなく、入ってきたトークンに足されます。`,
  },
  mlp: {
    title: "MLP",
    text: (t) => `トークンごとに ${t.dim} → ${t.hidden} → ${t.dim}、間に GELU。これも足されます。`,
  },
  layers: {
    title: "層を重ねる",
    text: (t) =>
      `同じことを ${t.layers} 回繰り返します。各ブロックを出るときのパッチの数列と、そこでクラストークンが見る場所です。`,
  },
  lines: {
    title: "誰が誰に尋ねるか",
    text: () => "パッチから、注目する相手への線です。太いほど強く注目しています。",
  },
};

const ko: Script<StepName, Told> = {
  position: {
    title: "클래스 토큰과 위치",
    text: (t) =>
      `${t.prefix > 0 ? `패치 앞에 학습된 토큰 ${t.prefix}개가 놓여 ${t.patches} + ${t.prefix} = ${t.patches + t.prefix}개가 됩니다. ` : ""}각 패치에는 그 자리의 벡터를 더합니다. 이것이 없으면 패치가 어디에 있었는지 알 수 없습니다. 작은 지도는 패치 ${t.patch}번의 위치가 다른 위치와 얼마나 비슷한지 보여 줍니다.`,
  },
  qkv: {
    title: "쿼리, 키, 값",
    text: (t) =>
      `정규화한 토큰에 세 행렬을 곱합니다. 사전에 빗대면 쿼리는 묻는 말, 키는 표제어, 값은 풀이입니다. 헤드 ${t.heads}개 가운데 0번의 수 ${t.headDim}개씩을 보여 줍니다.`,
  },
  scores: {
    title: "점수와 소프트맥스",
    text: (t) =>
      `쿼리와 각 키의 내적이 점수입니다. √${t.headDim}로 나누고 소프트맥스로 합이 1인 비율로 바꿉니다. 나누지 않으면 가장 큰 점수가 거의 전부를 차지하고 기울기가 사라집니다.`,
  },
  values: {
    title: "가중합",
    text: () => "모든 토큰의 값을 이 비율로 가중해 더합니다. 이것이 이 헤드가 패치에 들려주는 답입니다.",
  },
  heads: {
    title: "헤드 결합과 잔차",
    text: (t) =>
      `수 ${t.headDim}개짜리 헤드 ${t.heads}개를 이어 ${t.dim}개로 만들고 투영합니다. 결과는 들어온 토큰을 대신하지 않고 그 위에 더해집니다.`,
  },
  mlp: {
    title: "MLP",
    text: (t) => `토큰마다 따로 ${t.dim} → ${t.hidden} → ${t.dim}, 사이에 GELU. 이 결과도 더합니다.`,
  },
  layers: {
    title: "층을 거듭하여",
    text: (t) =>
      `같은 일을 ${t.layers}번 되풀이합니다. 각 블록을 나설 때의 패치 수열과, 그곳에서 클래스 토큰이 보는 자리입니다.`,
  },
  lines: {
    title: "누가 누구에게 묻는가",
    text: () => "패치에서 주목하는 상대로 그은 선입니다. 굵을수록 더 많이 봅니다.",
  },
};

export const SCRIPT: ByLanguage<Script<StepName, Told>> = { en, ja, ko };

export const LABELS: ByLanguage<Readonly<Record<OwnLabel, string>>> = {
  en: {
    divided: "divided by √d",
    undivided: "not divided",
    position: "its position",
    token: "token",
    all: "all",
    hover: "Point at a patch, or move to it with Tab: whom does it ask?",
    classToken: "class token",
  },
  ja: {
    divided: "√d で割る",
    undivided: "割らない",
    position: "位置ベクトル",
    token: "トークン",
    all: "全体",
    hover: "パッチにポインターを合わせるか、Tab キーで移動してください。どこに注目するでしょうか。",
    classToken: "クラストークン",
  },
  ko: {
    divided: "√d로 나눔",
    undivided: "나누지 않음",
    position: "위치 벡터",
    token: "토큰",
    all: "전체",
    hover: "패치를 가리키거나 Tab 키로 이동해 보세요. 이 패치는 어디를 볼까요?",
    classToken: "클래스 토큰",
  },
};
