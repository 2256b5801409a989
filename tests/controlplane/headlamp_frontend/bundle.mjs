// Bundles Headlamp's own clients, from the sources in a folder that is named, for a run under Node:
//   node bundle.mjs <headlamp>/frontend <our frontend with esbuild> <out.mjs>
// What surrounds them in the page (React, the store, IndexedDB, the router) is replaced; they themselves are not.
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [named, tools, outfile] = process.argv.slice(2).map((name) => path.resolve(name));
const sources = realpathSync(named); // as esbuild names what imports
const { build } = createRequire(path.join(tools, "package.json"))("esbuild");

// By what they are in the page, and as little of it as the clients ask for.
const SURROUNDINGS = {
  "src/stateless/index": "exports.generateSecureToken = () => 'user-of-the-page';",
  "src/stateless/findKubeconfigByClusterName": "exports.findKubeconfigByClusterName = async () => null;",
  "src/lib/cluster": "exports.getCluster = () => '';",
  "src/lib/auth": "exports.logout = () => {};",
  "src/redux/stores/store": "exports.default = { getState: () => ({ config: { clusters: {} } }) };",
  "src/helpers/addBackstageAuthHeaders": "exports.addBackstageAuthHeaders = (headers) => headers;",
  "lodash/omit":
    "exports.default = (from, ...names) =>" +
    "  Object.fromEntries(Object.entries(from ?? {}).filter(([name]) => !names.flat().includes(name)));",
  react:
    "exports.useMemo = (make) => make(); exports.useCallback = (call) => call;" +
    "exports.useEffect = (effect) => globalThis.effects.push(effect());",
};

const surroundings = {
  name: "surroundings",
  setup(on) {
    on.onResolve({ filter: /./ }, ({ path: name, importer, kind }) => {
      if (kind === "entry-point" || !importer.startsWith(sources)) return undefined;
      const key = name.startsWith(".")
        ? path.relative(sources, path.resolve(path.dirname(importer), name)).split(path.sep).join("/")
        : name;
      const found = [key, `${key}/index`].find((one) => one in SURROUNDINGS);
      return found === undefined ? undefined : { path: found, namespace: "surroundings" };
    });
    on.onLoad({ filter: /./, namespace: "surroundings" }, ({ path: name }) => ({
      contents: `${SURROUNDINGS[name]}\nexports.__esModule = true;`,
      loader: "js",
    }));
  },
};

await build({
  entryPoints: [path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), "driver.mjs")],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "es2022",
  logLevel: "warning",
  alias: { headlamp: path.join(sources, "src") },
  define: { "import.meta.env": "globalThis.viteEnvironment" },
  banner: { js: "globalThis.viteEnvironment = {};" },
  tsconfigRaw: "{}",
  plugins: [surroundings],
});
