import assert from "node:assert/strict";
import test from "node:test";

import { type Place, placeWords, tabsOf, Trail } from "./places";

const place = (name: string, kind = "Pod"): Place => ({ cluster: "a", namespace: "shop", name, kind });

test("tabs by kind, and by what may be done", () => {
  assert.deepEqual(tabsOf("Pod", true), ["details", "yaml", "events", "logs", "shell"]);
  assert.deepEqual(tabsOf("Pod", false), ["details", "yaml", "events", "logs"]);
  assert.deepEqual(tabsOf("Node", true), ["details", "yaml", "events", "shell"]);
  assert.deepEqual(tabsOf("Deployment.apps", true), ["details", "yaml", "events", "logs"]);
  assert.deepEqual(tabsOf("Service.serving.knative.dev", true), ["details", "yaml", "events"]);
  assert.deepEqual(tabsOf("Event", true), ["details", "yaml"]);
  assert.deepEqual(tabsOf("", true), ["details", "yaml", "events", "logs"]);
});

test("back and forward as in a browser", () => {
  const trail = new Trail();
  assert.equal(trail.step(-1), false);
  trail.begin(place("web-0"));
  assert.equal(trail.go(place("web-0")), false, "no step");
  assert.ok(trail.go(place("web", "ReplicaSet.apps")));
  assert.ok(trail.go(place("web", "Deployment.apps")));
  assert.deepEqual([trail.canBack, trail.canForward], [true, false]);
  assert.ok(trail.step(-2));
  assert.equal(trail.here?.name, "web-0");
  assert.deepEqual([trail.canBack, trail.canForward], [false, true]);
  assert.ok(trail.step(1));
  assert.deepEqual(trail.way.map(placeWords), ["Pod web-0", "ReplicaSet web"]);
  assert.ok(trail.go(place("n1", "Node")), "another way from here");
  assert.equal(trail.canForward, false);
  assert.equal(trail.first?.name, "web-0");
  trail.clear();
  assert.equal(trail.here, undefined);
});

test("the way does not grow for ever, and its beginning stays", () => {
  const trail = new Trail();
  trail.begin(place("first"));
  for (let at = 0; at < 200; at++) trail.go(place(`p${at}`));
  assert.ok(trail.way.length <= 50);
  assert.equal(trail.first?.name, "first");
  assert.equal(trail.here?.name, "p199");
});
