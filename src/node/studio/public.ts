import { isAbsolute, posix, win32 } from "node:path";
import type { FactGroup, RunDetails, RunDifference } from "../../studio/run.ts";

/*
 * What a page that anyone may read tells of a run: nothing of the machine, and no path of it.
 */

/** Groups of facts that are the machine's. */
const PRIVATE = new Set(["Machine and versions", "Command"]);

const isPath = (value: string): boolean => isAbsolute(value) || win32.isAbsolute(value) || /^~[\\/]/.test(value);

/** The last part of what is a path of this machine; anything else as it is. */
export const withoutFolders = (value: string): string =>
  isPath(value) ? posix.basename(value.replaceAll("\\", "/")) : value;

const publicFacts = ({ title, facts }: FactGroup): FactGroup => ({
  title,
  facts: facts.map(([name, value]) => [name, withoutFolders(value)] as const),
});

/** A run that trains while it is exported has stopped for whoever looks at it later. */
export const publicDetails = ({ entry, facts, classes }: RunDetails): RunDetails => ({
  entry: {
    ...entry,
    data: withoutFolders(entry.data),
    state: entry.state === "running" ? "stopped" : entry.state,
  },
  facts: facts.filter(({ title }) => !PRIVATE.has(title)).map(publicFacts),
  classes,
});

export const publicDifferences = (differences: readonly RunDifference[]): RunDifference[] =>
  differences.map(({ name, values }) => ({ name, values: values.map(withoutFolders) }));
