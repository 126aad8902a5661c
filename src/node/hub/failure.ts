import { type Answer, HubError, shown } from "./http.ts";

export interface Asked {
  readonly repo: string;
  readonly revision: string;
  readonly file?: string;
  readonly endpoint: string;
  readonly hasToken: boolean;
}

/** What the hub's refusal means for a user. */
export function failureOf({ status, header, url }: Answer, asked: Asked): HubError {
  const { repo, revision, file, endpoint, hasToken } = asked;
  const kind = header("x-error-code");
  const told = header("x-error-message") ?? "";
  const page = `${endpoint}/${repo}`;
  const fail = (what: string, hint?: string) =>
    new HubError(what, { status, kind, where: repo, hint, retryAfter: waitOf(header("retry-after")) });

  if (kind === "GatedRepo" || (status === 403 && kind !== "RepoNotFound"))
    return fail(
      `access is refused (${status})`,
      hasToken
        ? `Accept the authors' terms at ${page}, and check what the token may do`
        : `Accept the authors' terms at ${page}, then set HF_TOKEN`,
    );
  if (status === 401 && /credentials/i.test(told))
    return fail("the hub refuses the token (401)", "Renew HF_TOKEN or the token file, or leave it out");
  if (kind === "RevisionNotFound") return fail(`has no revision "${revision}"`, `See ${page}/commits`);
  if (kind === "EntryNotFound" && file !== undefined)
    return fail(`holds no file "${file}" at revision ${revision}`, `See ${page}/tree/${revision}`);
  if (kind === "RepoNotFound" || status === 401 || (status === 404 && file === undefined))
    return fail(
      `there is no such repository, or it is private (${status})`,
      hasToken ? "Check the name and what the token may read" : "Check the name; for a private one set HF_TOKEN",
    );
  if (status === 404) return fail(`no "${file}" at revision ${revision} (404)`, `See ${page}`);
  if (status === 429) return fail("the hub asks to wait: too many requests (429)", "Try later, or set HF_TOKEN");
  return fail(`${shown(url)} answers with status ${status}`, status >= 500 ? "The hub has a fault: try later" : told);
}

/** Milliseconds of a Retry-After header: seconds, or a date. */
function waitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
