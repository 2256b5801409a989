import assert from "node:assert/strict";
import test from "node:test";

import { difference, identity, managedFields, substance, withoutManaged } from "./text";

const YAML = `apiVersion: v1
metadata:
  labels:
    a: b
  managedFields:
  - apiVersion: v1
    fieldsV1:
      f:data: {}
  - manager: two
  name: web
spec: {}
`;

test("the managed fields, by their indentation", () => {
  const range = managedFields(YAML);
  assert.ok(range);
  assert.equal(YAML.slice(0, range.from).split("\n").at(-1), "  managedFields:");
  assert.equal(YAML.slice(range.to), "\n  name: web\nspec: {}\n");
  assert.equal(withoutManaged(YAML).includes("fieldsV1"), false);
  assert.equal(withoutManaged(YAML), YAML.replace(/ {2}managedFields:[^]*two\n/, ""));
});

test("items that stand further in, and the end of the text", () => {
  const text = "metadata:\n  managedFields:\n    - manager: a\n      x: y";
  assert.deepEqual(managedFields(text), { from: text.indexOf(":\n    -") + 1, to: text.length });
  assert.equal(withoutManaged(text), "metadata:\n");
});

test("none, an empty one, and one in somebody's text", () => {
  for (const text of ["a: b\n", "metadata:\n  managedFields: []\n  name: x\n", "metadata:\n  managedFields:\nspec: 1\n", "data:\n    managedFields:\n    - x\n"]) {
    assert.equal(managedFields(text), undefined);
    assert.equal(withoutManaged(text), text);
  }
});

test("the one piece that differs", () => {
  assert.equal(difference("abc", "abc"), undefined);
  for (const [before, after] of [["abc", "axc"], ["abc", "abbc"], ["aaa", "aa"], ["", "x"], ["x", ""], ["ab", "ba"]] as const) {
    const found = difference(before, after);
    assert.ok(found);
    assert.equal(before.slice(0, found.from) + found.insert + before.slice(found.to), after);
  }
});

test("what servers write by themselves is no change", () => {
  const text = "metadata:\n  name: x\n  resourceVersion: '5'\n  generation: 1\nspec:\n  replicas: 2\nstatus:\n  a:\n  - b\n- c\n\n  d: e\n";
  const later = "metadata:\n  name: x\n  resourceVersion: '6'\n  generation: 2\nspec:\n  replicas: 2\nstatus: {}\n";
  assert.equal(substance(text), "metadata:\n  name: x\nspec:\n  replicas: 2\n");
  assert.equal(substance(text), substance(later));
  assert.notEqual(substance(text), substance(later.replace("replicas: 2", "replicas: 3")));
  assert.equal(substance("status:\n  a: b\ndata:\n  k: v"), "data:\n  k: v\n", "what comes behind it stays");
});

test("which object it is, and not whose", () => {
  assert.equal(identity("metadata:\n  ownerReferences:\n  - kind: Deployment\n    uid: d1\n  uid: p1\nspec: {}\n"), "  uid: p1");
  assert.equal(identity(YAML), "");
});
