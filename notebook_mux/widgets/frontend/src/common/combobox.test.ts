import assert from "node:assert/strict";
import test from "node:test";

import { found, type Option } from "./combobox";

const OPTIONS: Option[] = [
  { value: "pods", words: "pods", also: ["po", "Pod"], more: "po" },
  { value: "podtemplates", words: "podtemplates", also: ["PodTemplate"] },
  { value: "poddisruptionbudgets.policy", words: "poddisruptionbudgets", also: ["pdb"], more: "pdb · policy" },
  { value: "deployments.apps", words: "deployments", also: ["deploy", "Deployment"], more: "deploy · apps" },
  { value: "replicasets.apps", words: "replicasets", also: ["rs"], more: "rs · apps" },
];
const values = (text: string) => found(OPTIONS, text).map(({ words }) => words);

test("nothing finds all, in their order", () => assert.equal(values(" ").length, OPTIONS.length));

test("an exact word comes first, a short name too", () => {
  assert.deepEqual(values("po")[0], "pods");
  assert.deepEqual(values("pdb"), ["poddisruptionbudgets"]);
  assert.deepEqual(values("RS"), ["replicasets"]);
  assert.deepEqual(values("Deployment"), ["deployments"]);
});

test("then what begins with it, then what has it, then what stands beside", () => {
  assert.deepEqual(values("pod"), ["pods", "podtemplates", "poddisruptionbudgets"]);
  assert.deepEqual(values("apps"), ["deployments", "replicasets"]);
  assert.deepEqual(values("set"), ["replicasets"]);
  assert.deepEqual(values("nothing"), []);
});
