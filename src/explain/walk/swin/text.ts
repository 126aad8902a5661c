import type { Script } from "../lecture.ts";
import type { ByLanguage } from "../words.ts";

/** Numbers that the sentences name. */
export interface Told {
  readonly rows: number;
  readonly columns: number;
  readonly patch: number;
  readonly dim: number;
  readonly heads: number;
  /** Height and width of a window in patches. */
  readonly window: readonly [number, number];
  readonly windows: number;
  readonly shift: readonly [number, number];
  /** Rows and columns from the patch to its pair. */
  readonly offset: readonly [number, number];
  /** Bias of the pair. */
  readonly bias: number;
  /** Whether the bias is a network of the offset (V2), and scores are cosines. */
  readonly network: boolean;
  readonly shifts: boolean;
  readonly hidden: number;
  readonly stages: number;
}

export type StepName = "windows" | "bias" | "attend" | "shift" | "add" | "merge" | "stages";

const all = ({ rows, columns }: Told) => (rows * columns) ** 2;
const within = ({ windows, window: [h, w] }: Told) => windows * (h * w) ** 2;
const cells = ({ window: [h, w] }: Told) => `${2 * h - 1} × ${2 * w - 1}`;

const en: Script<StepName, Told> = {
  windows: {
    title: "Windows",
    text: (t) =>
      `The ${t.rows} × ${t.columns} patches are cut into ${t.windows} windows of ${t.window.join(" × ")}; a patch asks only those of its window (amber). That is ${within(t)} pairs in place of ${all(t)}: the cost grows with the image, not with its square.`,
  },
  bias: {
    title: "Two patches, their offset, their bias",
    text: (t) =>
      `There is no position vector. To each score a bias is added that belongs to the offset of the two patches: a table of ${cells(t)} cells a head${t.network ? ", here made by a small network of the offset, and the score is a cosine (Swin V2)" : " (equation 4 of the paper)"}. Patch ${t.patch} (red) and the one that it asks most (amber) are (${t.offset.join(", ")}) rows and columns apart: the framed cell of head 0, ${t.bias.toFixed(4)}.`,
  },
  attend: {
    title: "Attention within the window",
    text: (t) =>
      `Score plus bias, turned by softmax into shares: where patch ${t.patch} looks, head 0 of ${t.heads}. Outside of its window it cannot look.`,
  },
  shift: {
    title: "Shifted windows, and the mask",
    text: (t) =>
      t.shifts
        ? `In the next block the windows lie ${t.shift.join(" and ")} patches further down and to the right, so that what was parted meets. The map is rolled for it, and the last windows then hold patches from opposite borders: the mask adds -100 to the scores of such pairs (dark; rows ask, columns are asked), and their share is nothing.`
        : "A shift would bring nothing here: one window covers the map, or the stage has one block.",
  },
  add: {
    title: "The residual, and the MLP",
    text: (t) =>
      `What attention gives is added to the patch, then the MLP ${t.dim} → ${t.hidden} → ${t.dim} does the same (equation 3).`,
  },
  merge: {
    title: "Patches are merged",
    text: (t) =>
      t.stages > 1
        ? `Between stages 2 × 2 neighbours are joined, ${4 * t.dim} numbers, and a matrix makes ${2 * t.dim} of them: a quarter of the places, twice the channels.`
        : "This model has one stage: nothing is merged.",
  },
  stages: {
    title: "Stage after stage",
    text: (t) =>
      `${t.stages} stages make a pyramid of maps as a convolutional network has. Of each its most uneven channel; a window of the same side covers ever more of the image.`,
  },
};

const ja: Script<StepName, Told> = {
  windows: {
    title: "ウィンドウ",
    text: (t) =>
      `${t.rows} × ${t.columns} 個のパッチを ${t.window.join(" × ")} のウィンドウ ${t.windows} 個に分け、パッチは同じウィンドウの中(橙)だけに尋ねます。組の数は ${all(t)} ではなく ${within(t)}。計算量は画像の大きさの 2 乗ではなく、大きさに比例します。`,
  },
  bias: {
    title: "2 つのパッチ、その隔たり、そのバイアス",
    text: (t) =>
      `位置ベクトルはありません。スコアには、2 つのパッチの隔たりごとに決まるバイアスを足します。ヘッドごとに ${cells(t)} マスの表です${t.network ? "(この表は隔たりを入力とする小さなネットワークが作り、スコアはコサインです。Swin V2)" : "(論文の式 4)"}。パッチ ${t.patch}(赤)と最も強く尋ねる相手(橙)の隔たりは行と列で (${t.offset.join(", ")})。ヘッド 0 の枠で囲んだマス、${t.bias.toFixed(4)} です。`,
  },
  attend: {
    title: "ウィンドウ内のアテンション",
    text: (t) =>
      `スコアにバイアスを足し、ソフトマックスで割合にします。パッチ ${t.patch} が見る場所、${t.heads} 個のうちヘッド 0 です。ウィンドウの外は見られません。`,
  },
  shift: {
    title: "ずらしたウィンドウとマスク",
    text: (t) =>
      t.shifts
        ? `次のブロックではウィンドウを下と右に ${t.shift.join("、")} パッチずらし、分かれていたものを出会わせます。そのために地図を巡回させるので、端のウィンドウには反対側の縁のパッチが同居します。マスクはそのような組のスコアに -100 を足し(暗い部分。行が尋ね、列が尋ねられる)、割合をなくします。`
        : "ここではずらす意味がありません。1 つのウィンドウが地図全体を覆うか、ステージが 1 ブロックだけです。",
  },
  add: {
    title: "残差と MLP",
    text: (t) =>
      `アテンションの結果をパッチに足し、${t.dim} → ${t.hidden} → ${t.dim} の MLP も同じように足します(式 3)。`,
  },
  merge: {
    title: "パッチの統合",
    text: (t) =>
      t.stages > 1
        ? `ステージの間では隣り合う 2 × 2 個をつなげた ${4 * t.dim} 個の数を、行列で ${2 * t.dim} 個にします。位置は 4 分の 1、チャンネルは 2 倍です。`
        : "このモデルのステージは 1 つで、統合はありません。",
  },
  stages: {
    title: "ステージを重ねる",
    text: (t) =>
      `${t.stages} 個のステージが、畳み込みネットワークのような地図のピラミッドを作ります。それぞれ最もむらのあるチャンネルを示します。同じ大きさのウィンドウが、画像のより広い範囲を覆っていきます。`,
  },
};

const ko: Script<StepName, Told> = {
  windows: {
    title: "윈도",
    text: (t) =>
      `패치 ${t.rows} × ${t.columns}개를 ${t.window.join(" × ")} 윈도 ${t.windows}개로 나누고, 패치는 자기 윈도 안(주황)에만 묻습니다. 쌍의 수는 ${all(t)}개가 아니라 ${within(t)}개입니다. 비용은 이미지 크기의 제곱이 아니라 크기에 비례합니다.`,
  },
  bias: {
    title: "두 패치, 그 간격, 그 바이어스",
    text: (t) =>
      `위치 벡터는 없습니다. 점수마다 두 패치의 간격에 딸린 바이어스를 더합니다. 헤드마다 ${cells(t)}칸의 표입니다${t.network ? "(여기서는 간격을 받는 작은 신경망이 표를 만들고 점수는 코사인입니다. Swin V2)" : "(논문의 식 4)"}. 패치 ${t.patch}번(빨강)과 가장 많이 묻는 상대(주황)는 행과 열로 (${t.offset.join(", ")}) 떨어져 있습니다. 헤드 0의 테두리 친 칸, ${t.bias.toFixed(4)}입니다.`,
  },
  attend: {
    title: "윈도 안의 어텐션",
    text: (t) =>
      `점수에 바이어스를 더하고 소프트맥스로 비율을 만듭니다. 패치 ${t.patch}번이 보는 곳, 헤드 ${t.heads}개 가운데 0번입니다. 윈도 밖은 볼 수 없습니다.`,
  },
  shift: {
    title: "밀린 윈도와 마스크",
    text: (t) =>
      t.shifts
        ? `다음 블록에서는 윈도가 아래와 오른쪽으로 ${t.shift.join(", ")} 패치 밀려, 갈라져 있던 것이 만납니다. 이를 위해 지도를 돌려 감으므로 끝 윈도에는 반대쪽 가장자리의 패치가 함께 놓입니다. 마스크는 그런 쌍의 점수에 -100을 더해(어두운 곳. 행이 묻고 열이 대답) 비율을 없앱니다.`
        : "여기서는 밀어도 얻을 것이 없습니다. 윈도 하나가 지도를 덮거나 단계에 블록이 하나뿐입니다.",
  },
  add: {
    title: "잔차와 MLP",
    text: (t) => `어텐션의 결과를 패치에 더하고, ${t.dim} → ${t.hidden} → ${t.dim} MLP도 똑같이 더합니다(식 3).`,
  },
  merge: {
    title: "패치 병합",
    text: (t) =>
      t.stages > 1
        ? `단계 사이에서는 이웃 2 × 2개를 이은 수 ${4 * t.dim}개를 행렬로 ${2 * t.dim}개로 만듭니다. 자리는 4분의 1, 채널은 두 배가 됩니다.`
        : "이 모델은 단계가 하나라 병합이 없습니다.",
  },
  stages: {
    title: "단계를 거듭하여",
    text: (t) =>
      `${t.stages}개 단계가 합성곱 신경망처럼 지도의 피라미드를 이룹니다. 각각 가장 고르지 않은 채널을 보여 줍니다. 같은 크기의 윈도가 이미지의 더 넓은 곳을 덮어 갑니다.`,
  },
};

export const SCRIPT: ByLanguage<Script<StepName, Told>> = { en, ja, ko };
