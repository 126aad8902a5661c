import { render } from "preact";
import { App } from "./app.tsx";
import { goTo, parseRoute, routeTo } from "./route.ts";
import type { Studio } from "./studio.ts";
import { Fault } from "./ui/parts.tsx";
import { messageOf } from "./ui/use-async.ts";
import "./style/base.css";
import "./style/runs.css";
import "./style/look.css";
import "./style/small.css";

/** Whether the address names no view and there is no run to begin with, but a model. */
async function onlyModels({ runs, models }: Studio): Promise<boolean> {
  if (parseRoute(location.hash).path.length > 0 || (await runs.list()).length > 0) return false;
  return (await models.list()).length > 0;
}

/** Shows the studio when it is open, or why it cannot be. */
export async function start(opening: Promise<Studio>): Promise<void> {
  const root = document.getElementById("app") as HTMLElement;
  try {
    const studio = await opening;
    if (await onlyModels(studio)) goTo(routeTo(["look"]), { replace: true });
    render(<App studio={studio} />, root);
  } catch (error) {
    render(
      <main>
        <h1>tesserae studio</h1>
        <Fault>{messageOf(error)}</Fault>
      </main>,
      root,
    );
  }
}
