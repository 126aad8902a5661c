/**
 * Ends the process at once, as a signal without a handler does, after what is to be done at an exit. process.exit would wait
 * for the engine's thread, and a thread stopped within a native call aborts the process.
 */
export function dieOf(name: NodeJS.Signals): void {
  process.emit("exit", 1);
  // Its last listener taken away, a signal has the system's effect again, also one that Node ignores.
  process.on(name, () => {});
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}
