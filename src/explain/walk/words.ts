import type { Script } from "./lecture.ts";

export const LANGUAGES = ["en", "ja", "ko"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Words of each language. */
export type ByLanguage<W> = Readonly<Record<Language, W>>;

/** What steps of every family name. */
export interface Common {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** The map of patches or of a stem. */
  readonly rows: number;
  readonly columns: number;
  readonly patchHeight: number;
  readonly patchWidth: number;
  readonly patch: number;
  /** Channels of a patch after its projection. */
  readonly dim: number;
  /** Channels that the classifier reads. */
  readonly features: number;
  /** What is pooled to one row of features. */
  readonly pooled: "token" | "mean";
  readonly classes: number;
  readonly best: string;
}

type CommonStep = "image" | "patches" | "flatten" | "project" | "logits" | "noLogits";

type Label =
  | "red"
  | "green"
  | "blue"
  | "before"
  | "after"
  | "layer"
  | "head"
  | "channel"
  | "stage"
  | "kernel"
  | "class"
  | "probability"
  | "pixels"
  | "field"
  | "composed"
  | "effective"
  | "attention"
  | "resnet"
  | "stacked"
  | "stem"
  | "block"
  | "window"
  | "grid"
  | "pair"
  | "bias"
  | "mask"
  | "offset"
  | "sum"
  | "share"
  | "keys"
  | "queries";

export interface Words {
  readonly lead: (model: string, image: string) => string;
  readonly fresh: string;
  readonly labels: Readonly<Record<Label, string>>;
  readonly steps: Script<CommonStep, Common>;
}

const n = (t: Common) => t.rows * t.columns;
const flat = (t: Common) => t.patchHeight * t.patchWidth * t.channels;

const en: Words = {
  lead: (model, image) => `How ${model} reads ${image}, with its own numbers.`,
  fresh: "The weights are fresh from the initialisation: the numbers are real, but they mean nothing yet.",
  labels: {
    red: "red",
    green: "green",
    blue: "blue",
    before: "before",
    after: "after",
    layer: "layer",
    head: "head",
    channel: "channel",
    stage: "stage",
    kernel: "kernel",
    class: "class",
    probability: "probability",
    pixels: "pixels",
    field: "side of the receptive field (pixels)",
    composed: "composed of kernels and strides",
    effective: "effective, by the gradient",
    attention: "attention: all of the image",
    resnet: "ResNet-18, composed",
    stacked: "3 × 3 convolutions alone",
    stem: "stem",
    block: "block",
    window: "window",
    grid: "grid",
    pair: "two patches",
    bias: "bias",
    mask: "mask",
    offset: "offset",
    sum: "sum",
    share: "share",
    keys: "keys and values",
    queries: "queries",
  },
  steps: {
    image: {
      title: "The image",
      text: (t) =>
        `${t.height} × ${t.width} pixels of ${t.channels} colours, resized and cropped as the model was trained, then shifted and scaled by channel.`,
    },
    patches: {
      title: "Cut into patches",
      text: (t) =>
        `${t.rows} × ${t.columns} = ${n(t)} patches of ${t.patchHeight} × ${t.patchWidth} pixels: the words of this sentence. Patch ${t.patch} is followed from here on.`,
    },
    flatten: {
      title: "A patch is a row of numbers",
      text: (t) =>
        `Its ${t.channels} colour planes, row after row: ${t.patchHeight} · ${t.patchWidth} · ${t.channels} = ${flat(t)} numbers.`,
    },
    project: {
      title: "Linear projection",
      text: (t) =>
        `x E with E of ${flat(t)} × ${t.dim}: the ${flat(t)} numbers become ${t.dim}, the width of the model.`,
    },
    logits: {
      title: "The answer",
      text: (t) =>
        `${t.pooled === "token" ? "The class token, normalised," : "The mean over all places"} is turned by the head, whose last matrix is ${t.features} × ${t.classes}, into a logit for each class, and by softmax into a probability. Its answer is ${t.best}.`,
    },
    noLogits: {
      title: "The features",
      text: (t) =>
        `${t.pooled === "token" ? "The class token" : "The mean over all places"} is what the model gives: ${t.features} numbers that say what is in the image. It has no classifier.`,
    },
  },
};

const ja: Words = {
  lead: (model, image) => `${model} が ${image} を読む手順を、モデル自身の数値でたどります。`,
  fresh: "重みは初期化したままです。数値は本物ですが、まだ意味を持ちません。",
  labels: {
    red: "赤",
    green: "緑",
    blue: "青",
    before: "前",
    after: "後",
    layer: "層",
    head: "ヘッド",
    channel: "チャンネル",
    stage: "ステージ",
    kernel: "カーネル",
    class: "クラス",
    probability: "確率",
    pixels: "画素",
    field: "受容野の一辺(画素)",
    composed: "カーネルとストライドの合成",
    effective: "実効(勾配による)",
    attention: "アテンション: 画像全体",
    resnet: "ResNet-18(合成)",
    stacked: "3 × 3 畳み込みのみ",
    stem: "ステム",
    block: "ブロック",
    window: "ウィンドウ",
    grid: "グリッド",
    pair: "2 つのパッチ",
    bias: "バイアス",
    mask: "マスク",
    offset: "隔たり",
    sum: "和",
    share: "割合",
    keys: "キーとバリュー",
    queries: "クエリ",
  },
  steps: {
    image: {
      title: "画像",
      text: (t) =>
        `${t.height} × ${t.width} 画素、${t.channels} 色。学習時と同じように拡大縮小して切り抜き、チャンネルごとに平均を引いて標準偏差で割ります。`,
    },
    patches: {
      title: "パッチに切り分ける",
      text: (t) =>
        `${t.patchHeight} × ${t.patchWidth} 画素のパッチが ${t.rows} × ${t.columns} = ${n(t)} 枚。これが文の「単語」です。ここからはパッチ ${t.patch} を追います。`,
    },
    flatten: {
      title: "パッチは数の列",
      text: (t) =>
        `${t.channels} 枚の色平面を行ごとに並べると ${t.patchHeight} · ${t.patchWidth} · ${t.channels} = ${flat(t)} 個の数になります。`,
    },
    project: {
      title: "線形射影",
      text: (t) =>
        `${flat(t)} × ${t.dim} の行列 E を掛け (x E)、${flat(t)} 個の数をモデルの幅である ${t.dim} 個の数に変えます。`,
    },
    logits: {
      title: "答え",
      text: (t) =>
        `${t.pooled === "token" ? "正規化したクラストークン" : "全位置の平均"}からヘッド(最後の行列は ${t.features} × ${t.classes})がクラスごとのロジットを出し、ソフトマックスで確率にします。答えは ${t.best} です。`,
    },
    noLogits: {
      title: "特徴量",
      text: (t) =>
        `${t.pooled === "token" ? "クラストークン" : "全位置の平均"}がモデルの出力です。画像に何があるかを表す ${t.features} 個の数で、分類器はありません。`,
    },
  },
};

const ko: Words = {
  lead: (model, image) => `${model} 모델이 ${image} 이미지를 읽는 과정을 모델의 실제 수치로 따라갑니다.`,
  fresh: "가중치는 초기화 상태 그대로입니다. 수치는 실제 값이지만 아직 의미가 없습니다.",
  labels: {
    red: "빨강",
    green: "초록",
    blue: "파랑",
    before: "이전",
    after: "이후",
    layer: "층",
    head: "헤드",
    channel: "채널",
    stage: "단계",
    kernel: "커널",
    class: "클래스",
    probability: "확률",
    pixels: "픽셀",
    field: "수용 영역의 한 변(픽셀)",
    composed: "커널과 스트라이드의 합성",
    effective: "유효(기울기 기준)",
    attention: "어텐션: 이미지 전체",
    resnet: "ResNet-18(합성)",
    stacked: "3 × 3 합성곱만",
    stem: "스템",
    block: "블록",
    window: "윈도",
    grid: "격자",
    pair: "두 패치",
    bias: "바이어스",
    mask: "마스크",
    offset: "간격",
    sum: "합",
    share: "비율",
    keys: "키와 값",
    queries: "쿼리",
  },
  steps: {
    image: {
      title: "이미지",
      text: (t) =>
        `${t.height} × ${t.width} 픽셀, ${t.channels}색. 학습할 때와 같이 크기를 바꾸고 잘라 낸 뒤, 채널별로 평균을 빼고 표준편차로 나눕니다.`,
    },
    patches: {
      title: "패치로 자르기",
      text: (t) =>
        `${t.patchHeight} × ${t.patchWidth} 픽셀 패치 ${t.rows} × ${t.columns} = ${n(t)}개. 이것이 문장의 단어입니다. 이제부터 패치 ${t.patch}번을 따라갑니다.`,
    },
    flatten: {
      title: "패치는 수의 나열",
      text: (t) =>
        `색 평면 ${t.channels}장을 행마다 이어 붙이면 ${t.patchHeight} · ${t.patchWidth} · ${t.channels} = ${flat(t)}개의 수가 됩니다.`,
    },
    project: {
      title: "선형 투영",
      text: (t) => `${flat(t)} × ${t.dim} 행렬 E를 곱해(x E) ${flat(t)}개의 수를 모델의 너비인 ${t.dim}개로 바꿉니다.`,
    },
    logits: {
      title: "답",
      text: (t) =>
        `${t.pooled === "token" ? "정규화한 클래스 토큰" : "모든 위치의 평균"}에서 헤드(마지막 행렬은 ${t.features} × ${t.classes})가 클래스별 로짓을 내고, 소프트맥스로 확률로 바꿉니다. 답은 ${t.best}입니다.`,
    },
    noLogits: {
      title: "특징",
      text: (t) =>
        `${t.pooled === "token" ? "클래스 토큰" : "모든 위치의 평균"}이 모델의 출력입니다. 이미지에 무엇이 있는지 말하는 ${t.features}개의 수이며, 분류기는 없습니다.`,
    },
  },
};

export const WORDS: ByLanguage<Words> = { en, ja, ko };
