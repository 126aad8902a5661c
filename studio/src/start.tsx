import { render } from "preact";
import { App } from "./app.tsx";
import type { Studio } from "./studio.ts";
import { Fault } from "./ui/parts.tsx";
import { messageOf } from "./ui/use-async.ts";
import "./style.css";

/** Shows the studio when it is open, or why it cannot be. */
export async function start(opening: Promise<Studio>): Promise<void> {
  const root = document.getElementById("app") as HTMLElement;
  try {
    render(<App studio={await opening} />, root);
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
