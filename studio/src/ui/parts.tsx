import type { ComponentChildren } from "preact";
import type { RunEntry } from "../../../src/studio/run.ts";

export const Fault = ({ children }: { children: ComponentChildren }) => (
  <p class="fault" role="alert">
    {children}
  </p>
);

export const Waiting = ({ what }: { what: string }) => (
  <p class="waiting" role="status">
    <span class="spinner" aria-hidden="true" />
    {what}
  </p>
);

/** running, finished or stopped, with the share of the epochs that are done. */
export function State({ run: { state, epochs, planned } }: { run: RunEntry }) {
  return (
    <span class={`state ${state}`}>
      <span class="dot" aria-hidden="true" />
      {state}
      <span class="dim">
        {" "}
        {epochs}/{planned}
      </span>
    </span>
  );
}

export function Progress({ run: { epochs, planned, state, name } }: { run: RunEntry }) {
  return <progress class={state} max={Math.max(1, planned)} value={epochs} aria-label={`epochs of ${name}`} />;
}

/** A figure with its name under it. */
export const Figure = ({ name, value }: { name: string; value: ComponentChildren }) => (
  <div class="figure">
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

/** What may be wider than its place: it scrolls by itself, by keys too. */
export const Scroll = ({ label, children }: { label: string; children: ComponentChildren }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no pointer scrolls it by arrow keys
  <section class="card scroll" aria-label={label} tabIndex={0}>
    {children}
  </section>
);
