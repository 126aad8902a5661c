import { type FileSystem, nodeFileSystem, type OpenFile } from "./file-system.ts";

export interface Fault {
  /** The how-manieth call fails, from 1. */
  at: number;
  code: string;
  /** The process is dead from there on: every later call fails too. */
  dead?: boolean;
}

/**
 * For tests: the real file system with one failing call, and the list of the calls made. A failing write does half.
 * Syncs are only noted: they take most of the time and change nothing that a test could see.
 */
export function faultyFileSystem(fault?: Fault): FileSystem & { calls: string[] } {
  const calls: string[] = [];

  function call<T>(name: string, action: () => Promise<T>, onFault?: () => Promise<unknown>): Promise<T> {
    calls.push(name);
    const fails = fault && (fault.dead ? calls.length >= fault.at : calls.length === fault.at);
    if (!fails) return action();
    const error = Object.assign(new Error(`${fault.code}: injected into ${name}`), { code: fault.code });
    return (onFault?.() ?? Promise.resolve()).then(() => Promise.reject(error));
  }

  const wrap = (file: OpenFile, path: string): OpenFile => ({
    read: (into) => call(`read ${path}`, () => file.read(into)),
    write: (bytes) =>
      call(
        `write ${path}`,
        () => file.write(bytes),
        () => file.write(bytes.subarray(0, bytes.byteLength / 2)),
      ),
    size: () => call(`size ${path}`, () => file.size()),
    sync: () => call(`sync ${path}`, async () => {}),
    close: () =>
      call(
        `close ${path}`,
        () => file.close(),
        () => file.close(),
      ),
  });

  return {
    calls,
    makeFolder: (path) => call(`makeFolder ${path}`, () => nodeFileSystem.makeFolder(path)),
    list: (path) => call(`list ${path}`, () => nodeFileSystem.list(path)),
    open: (path, flags) => call(`open ${path}`, async () => wrap(await nodeFileSystem.open(path, flags), path)),
    rename: (from, to) => call(`rename ${from} ${to}`, () => nodeFileSystem.rename(from, to)),
    remove: (path) => call(`remove ${path}`, () => nodeFileSystem.remove(path)),
    syncFolder: (path) => call(`syncFolder ${path}`, async () => {}),
  };
}
