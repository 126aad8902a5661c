// A process that trains and is to be killed. Its argument is JSON: { train: the module, options: of its `train`,
// save, call }. It writes a line for each step on stdout, and kills itself where the call-th call to the file system
// after the beginning of its save-th save would begin.
import { writeSync } from "node:fs";
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const { train: module, options, save, call } = JSON.parse(process.argv[2]);
let saves = 0;
let calls = 0;

const counted = (original) =>
  function (...args) {
    if (saves >= save && ++calls === call) process.kill(process.pid, "SIGKILL");
    return original.apply(this, args);
  };

if (save) {
  const handle = await files.open(process.execPath, "r");
  const methods = Object.getPrototypeOf(handle);
  await handle.close();
  for (const name of ["write", "sync", "close", "truncate"]) methods[name] = counted(methods[name]);
  for (const name of ["open", "rename", "mkdir", "rm", "readdir", "writeFile", "truncate"])
    files[name] = counted(files[name]);
  syncBuiltinESMExports();
}

const { train } = await import(module);
await train({
  ...options,
  onEvent: (event) => {
    if (event.type === "save") saves++;
    if (event.type === "step") writeSync(1, `${event.step}\n`);
  },
});
