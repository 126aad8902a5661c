import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const source = resolve(fileURLToPath(import.meta.url), "../..");

/**
 * For tests that kill or race real processes: compiles a module under src/ and what it imports into `folder`, so that
 * plain Node can run it there. Returns the module's path.
 */
export function compileForChild(module: string, folder: string): string {
  const done = new Set<string>();
  const compile = (path: string) => {
    if (done.has(path)) return;
    done.add(path);
    const text = readFileSync(path, "utf8");
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    const out = join(folder, relative(source, path)).replace(/\.ts$/, ".js");
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, outputText);
    for (const [, imported] of outputText.matchAll(/from "(\.[^"]+)\.js"/g))
      compile(resolve(dirname(path), `${imported}.ts`));
  };
  compile(join(source, module));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  return join(folder, module).replace(/\.ts$/, ".js");
}
