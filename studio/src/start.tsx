import { render } from "preact";
import type { Studio } from "./studio.ts";

/** Shows the studio when it is open, or why it cannot be. */
export async function start(opening: Promise<Studio>): Promise<void> {
  const root = document.getElementById("app") as HTMLElement;
  try {
    const studio = await opening;
    const models = await studio.models.list();
    render(
      <ul>
        {models.map((m) => (
          <li key={m.id}>{m.name}</li>
        ))}
      </ul>,
      root,
    );
  } catch (error) {
    render(<p role="alert">{error instanceof Error ? error.message : String(error)}</p>, root);
  }
}
