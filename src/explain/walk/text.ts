/** Numbers that the sentences name. */
export interface Told {
  readonly height: number;
  readonly width: number;
  readonly rows: number;
  readonly columns: number;
  readonly patchHeight: number;
  readonly patchWidth: number;
  readonly channels: number;
  readonly dim: number;
  readonly heads: number;
  readonly headDim: number;
  readonly layers: number;
  readonly prefix: number;
  readonly patch: number;
  readonly hidden: number;
  readonly classes: number;
  readonly best: string;
}

export const LANGUAGES = ["en", "ja", "ko"] as const;
export type Language = (typeof LANGUAGES)[number];

type Sentence = (t: Told) => string;
interface Step {
  readonly title: string;
  readonly text: Sentence;
}

export const STEPS = [
  "image",
  "patches",
  "flatten",
  "project",
  "position",
  "qkv",
  "scores",
  "values",
  "heads",
  "mlp",
  "layers",
  "lines",
  "logits",
] as const;
export type StepName = (typeof STEPS)[number];

export interface Words {
  readonly lead: (model: string, image: string) => string;
  readonly fresh: string;
  readonly steps: Readonly<Record<StepName, Step>>;
  readonly labels: Readonly<
    Record<
      | "red"
      | "green"
      | "blue"
      | "divided"
      | "undivided"
      | "query"
      | "keys"
      | "before"
      | "after"
      | "position"
      | "token"
      | "layer"
      | "head"
      | "all"
      | "hover"
      | "classToken"
      | "norm"
      | "class"
      | "probability",
      string
    >
  >;
}

const n = (t: Told) => t.rows * t.columns;
const flat = (t: Told) => t.patchHeight * t.patchWidth * t.channels;

const en: Words = {
  lead: (model, image) => `How ${model} reads ${image}, with its own numbers.`,
  fresh: "The weights are fresh from the initialisation: the numbers are real, but they mean nothing yet.",
  labels: {
    red: "red",
    green: "green",
    blue: "blue",
    divided: "divided by √d",
    undivided: "not divided",
    query: "query",
    keys: "keys",
    before: "before",
    after: "after",
    position: "its position",
    token: "token",
    layer: "layer",
    head: "head",
    all: "all",
    hover: "Point at a patch, or move to it with Tab: whom does it ask?",
    classToken: "class token",
    norm: "length",
    class: "class",
    probability: "probability",
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
        `x E with E of ${flat(t)} × ${t.dim}: the ${flat(t)} numbers become ${t.dim}, the width D of the model (equation 1 of the paper).`,
    },
    position: {
      title: "Class token and position",
      text: (t) =>
        `${t.prefix > 0 ? `${t.prefix} learned ${t.prefix > 1 ? "tokens stand" : "token stands"} before the patches: ${n(t)} + ${t.prefix} = ${n(t) + t.prefix} tokens. ` : ""}To each patch the vector of its place is added; without it the model would not know where a patch was. The small map shows how alike the place of patch ${t.patch} is to all others.`,
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
    logits: {
      title: "The answer",
      text: (t) =>
        `${t.prefix > 0 ? "The class token" : "The mean of all patches"}, normalised, is multiplied by a matrix of ${t.dim} × ${t.classes}: a logit for each class, and by softmax a probability. Its answer is ${t.best}.`,
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
    divided: "√d で割る",
    undivided: "割らない",
    query: "クエリ",
    keys: "キー",
    before: "前",
    after: "後",
    position: "位置ベクトル",
    token: "トークン",
    layer: "層",
    head: "ヘッド",
    all: "全体",
    hover: "パッチにポインターを合わせるか、Tab キーで移動してください。どこに注目するでしょうか。",
    classToken: "クラストークン",
    norm: "長さ",
    class: "クラス",
    probability: "確率",
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
        `${flat(t)} × ${t.dim} の行列 E を掛け (x E)、${flat(t)} 個の数をモデルの幅 D = ${t.dim} 個の数に変えます(論文の式 1)。`,
    },
    position: {
      title: "クラストークンと位置",
      text: (t) =>
        `${t.prefix > 0 ? `パッチの前に学習されたトークンが ${t.prefix} 個置かれ、${n(t)} + ${t.prefix} = ${n(t) + t.prefix} 個になります。` : ""}各パッチにはその場所のベクトルを足します。これがなければ、パッチがどこにあったか分かりません。小さな地図は、パッチ ${t.patch} の位置が他の位置とどれほど似ているかを示します。`,
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
    logits: {
      title: "答え",
      text: (t) =>
        `正規化した${t.prefix > 0 ? "クラストークン" : "全パッチの平均"}に ${t.dim} × ${t.classes} の行列を掛け、クラスごとのロジットを得て、ソフトマックスで確率にします。答えは ${t.best} です。`,
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
    divided: "√d로 나눔",
    undivided: "나누지 않음",
    query: "쿼리",
    keys: "키",
    before: "이전",
    after: "이후",
    position: "위치 벡터",
    token: "토큰",
    layer: "층",
    head: "헤드",
    all: "전체",
    hover: "패치를 가리키거나 Tab 키로 이동해 보세요. 이 패치는 어디를 볼까요?",
    classToken: "클래스 토큰",
    norm: "길이",
    class: "클래스",
    probability: "확률",
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
      text: (t) =>
        `${flat(t)} × ${t.dim} 행렬 E를 곱해(x E) ${flat(t)}개의 수를 모델의 너비 D = ${t.dim}개로 바꿉니다(논문의 식 1).`,
    },
    position: {
      title: "클래스 토큰과 위치",
      text: (t) =>
        `${t.prefix > 0 ? `패치 앞에 학습된 토큰 ${t.prefix}개가 놓여 ${n(t)} + ${t.prefix} = ${n(t) + t.prefix}개가 됩니다. ` : ""}각 패치에는 그 자리의 벡터를 더합니다. 이것이 없으면 패치가 어디에 있었는지 알 수 없습니다. 작은 지도는 패치 ${t.patch}번의 위치가 다른 위치와 얼마나 비슷한지 보여 줍니다.`,
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
    logits: {
      title: "답",
      text: (t) =>
        `정규화한 ${t.prefix > 0 ? "클래스 토큰" : "전체 패치의 평균"}에 ${t.dim} × ${t.classes} 행렬을 곱해 클래스별 로짓을 얻고, 소프트맥스로 확률로 바꿉니다. 답은 ${t.best}입니다.`,
    },
  },
};

export const WORDS: Readonly<Record<Language, Words>> = { en, ja, ko };
