// Builds the bundles into ../static (git-ignored, shipped in the wheel), or the tests into .tests (--tests).
import { build } from "esbuild";
import { readdir, rm } from "node:fs/promises";

const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  loader: { ".css": "text" },
  logLevel: "warning",
};

if (process.argv.includes("--tests")) {
  const tests = (await readdir("src", { recursive: true })).filter((name) => name.endsWith(".test.ts"));
  await rm(".tests", { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: tests.map((name) => `src/${name}`),
    outdir: ".tests",
    outExtension: { ".js": ".mjs" },
    platform: "node",
  });
} else {
  await build({
    ...common,
    entryPoints: ["stub", "loader", "table", "status", "terminal", "forward", "events", "logs", "plug", "details", "manifest"].map((name) => `src/${name}.ts`),
    outdir: "../static",
    minify: true,
    legalComments: "inline",
    define: { "process.env.NODE_ENV": '"production"' },
  });
}
