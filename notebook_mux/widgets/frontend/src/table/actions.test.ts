import assert from "node:assert/strict";
import test from "node:test";

import { summary } from "../common/confirm";
import { kindName, whyNot } from "./actions";

test("what can be done to objects of a kind, and why not", () => {
  for (const kind of ["Deployment.apps", "StatefulSet.apps", "ReplicaSet.apps", "ReplicationController", "Boat.example.com"]) {
    assert.equal(whyNot("scale", kind, 1), "", kind);
  }
  assert.match(whyNot("scale", "Pod", 1), /belongs to/);
  assert.match(whyNot("scale", "DaemonSet.apps", 1), /no replicas/);
  assert.match(whyNot("scale", "Ingress.networking.k8s.io", 1), /no replicas/);
  for (const kind of ["Deployment.apps", "StatefulSet.apps", "DaemonSet.apps"]) assert.equal(whyNot("restart", kind, 3), "", kind);
  assert.match(whyNot("restart", "Pod", 1), /belongs to/);
  assert.match(whyNot("restart", "Boat.example.com", 1), /not restarted/);
  assert.equal(whyNot("apply", "Pod", 1), "");
  assert.match(whyNot("apply", "Pod", 2), /one object/);
  assert.equal(whyNot("delete", "Pod", 1000), "");
  assert.match(whyNot("delete", "", 1), /not known/);
});

test("kinds by their names", () => {
  assert.equal(kindName(null), "");
  assert.equal(kindName({ kind: "Pod", resource: "pods", group: "", namespaced: true }), "Pod");
  assert.equal(kindName({ kind: "Deployment", resource: "deployments", group: "apps", namespaced: true }), "Deployment.apps");
});

test("how it ended, in a line", () => {
  const ref = (name: string) => ({ cluster: "dev", namespace: "shop", name, kind: "Deployment.apps" });
  assert.equal(summary([{ ref: ref("web"), result: "scaled 2 → 3" }]), "deployment shop/web: scaled 2 → 3");
  assert.equal(summary([{ ref: ref("web"), result: "", error: "it is gone" }]), "deployment shop/web: it is gone");
  const three = [{ ref: ref("a"), result: "deleted" }, { ref: ref("b"), result: "", error: "no" }, { ref: ref("c"), result: "deleted" }];
  assert.equal(summary(three), "2 deleted, 1 not done");
});
