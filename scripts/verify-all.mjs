// npm run verify:all: every fixture of ../shared, one process each so that memory is given back.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

const folder = "../shared/fixtures";
if (!existsSync(folder)) {
  console.log("skipped: ../shared is absent");
  process.exit(0);
}
const others = new Set(["logits.json"]);
const files = readdirSync(folder).filter((f) => f.endsWith(".json") && !others.has(f));
const counts = { verified: 0, failed: 0, skipped: 0 };
for (const file of files) {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["dist/cli/main.js", "verify", "--json", `${folder}/${file}`],
    { encoding: "utf8" },
  );
  const line = stdout.trim();
  if (!line) {
    counts.failed++;
    console.log(`failed   ${file}: ${stderr.trim()}`);
    continue;
  }
  const { ok, skipped, error } = JSON.parse(line);
  const outcome = ok ? "verified" : skipped ? "skipped" : "failed";
  counts[outcome]++;
  console.log(`${outcome.padEnd(8)} ${file}${skipped ? `: ${skipped}` : `  ${JSON.stringify(error)}`}`);
}
console.log(`${counts.verified} verified, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed ? 1 : 0);
