/**
 * Where the built worker `name` (without extension) of this folder lies. Under a test runner this file is TypeScript,
 * which a worker thread of Node 20 cannot load: then it is the one in dist.
 */
export function workerUrl(name: string): URL {
  const here = import.meta.url;
  if (!here.endsWith(".ts")) return new URL(`./${name}.js`, here);
  return new URL(`../../dist/node/${name}.js`, here);
}
