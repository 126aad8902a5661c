import { useEffect } from "preact/hooks";
import { routeTo, useRoute } from "./route.ts";
import type { Studio } from "./studio.ts";
import { CompareView } from "./views/compare.tsx";
import { LookView } from "./views/look.tsx";
import { RunView } from "./views/run.tsx";
import { RunsView } from "./views/runs.tsx";

const TABS = [
  { name: "Runs", path: [], views: ["", "run"] },
  { name: "Compare", path: ["compare"], views: ["compare"] },
  { name: "Look", path: ["look"], views: ["look"] },
] as const;

export function App({ studio }: { studio: Studio }) {
  const { path, query } = useRoute();
  const [view = "", id = ""] = path;
  useTitle(view === "run" ? id : (TABS.find((t) => (t.views as readonly string[]).includes(view))?.name ?? "Runs"));
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        Skip to content
      </button>
      <header class="top">
        <a class="brand" href={routeTo([])}>
          <Mark />
          tesserae
        </a>
        <nav aria-label="Views">
          {TABS.map((tab) => (
            <a
              key={tab.name}
              href={routeTo(tab.path)}
              aria-current={(tab.views as readonly string[]).includes(view) ? "page" : undefined}
            >
              {tab.name}
            </a>
          ))}
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        {view === "run" ? (
          <RunView key={id} studio={studio} id={id} />
        ) : view === "compare" ? (
          <CompareView studio={studio} ids={query.getAll("run")} />
        ) : view === "look" ? (
          <LookView studio={studio} query={query} />
        ) : (
          <RunsView studio={studio} />
        )}
      </main>
    </>
  );
}

/** Names the view in the browser's tab; another view begins at its top. */
function useTitle(name: string): void {
  useEffect(() => {
    document.title = `${name} · tesserae`;
    scrollTo(0, 0);
  }, [name]);
}

/** Four tiles. */
const Mark = () => (
  <svg class="mark" viewBox="0 0 20 20" aria-hidden="true">
    <rect x="0" y="0" width="9" height="9" rx="2" fill="#3ecf9a" />
    <rect x="11" y="0" width="9" height="9" rx="2" fill="#f2b544" />
    <rect x="0" y="11" width="9" height="9" rx="2" fill="#f2725c" />
    <rect x="11" y="11" width="9" height="9" rx="2" fill="#5b8def" />
  </svg>
);
