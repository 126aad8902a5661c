import type { Guess } from "../../../src/train/predictor.ts";

interface GuessesProps {
  readonly top: readonly Guess[];
  /** The class that is explained. */
  readonly target: number | undefined;
  readonly onTarget: (index: number) => void;
}

const text = (probability: number): string => `${(100 * probability).toFixed(probability > 0.0995 ? 1 : 2)} %`;

/** The best guesses; pressing one asks for the evidence for that class. */
export const Guesses = ({ top, target, onTarget }: GuessesProps) => (
  <ol class="guesses" aria-label="Best guesses">
    {top.map(({ index, label, probability }) => (
      <li key={index}>
        <button
          type="button"
          aria-pressed={target === index}
          onClick={() => onTarget(index)}
          title={`Explain ${label}`}
        >
          <span class="label">{label}</span>
          <span class="number">{text(probability)}</span>
          <span class="bar" aria-hidden="true" ref={(e) => e?.style.setProperty("--share", String(probability))} />
        </button>
      </li>
    ))}
  </ol>
);
