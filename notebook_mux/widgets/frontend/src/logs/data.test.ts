import assert from "node:assert/strict";
import test from "node:test";

import { label, markLabel, markOf, naming, reused, shortened, type Source, type State } from "./data";
import { emptyWords, kernelNotice, notices, topWords } from "./standing";

const SOURCE: Source = {
  cluster: "dev", namespace: "shop", pod: "web-0", container: "main", kind: "container", restart: 0, state: "live",
  reason: "", said: "", todo: "", since: 0, retryAt: null, color: 0,
};
const STATE: State = {
  sources: [SOURCE], pods: 1, leftOut: [], settled: true, closed: false, problem: null, note: "", maxLines: 1, maxBytes: 1,
};

test("names say what tells sources apart, and no more", () => {
  const two = [SOURCE, { ...SOURCE, pod: "web-1" }];
  assert.equal(label(SOURCE, naming(two)), "web-0");
  assert.equal(label(SOURCE, naming([...two, { ...SOURCE, container: "side" }])), "web-0 main");
  assert.equal(label(SOURCE, naming([SOURCE, { ...SOURCE, cluster: "prod" }])), "dev/web-0");
  assert.equal(shortened("a-very-long-deployment-name-6d4cf56db6-x2x7k").length, 26);
  assert.match(shortened("a-very-long-deployment-name-6d4cf56db6-x2x7k"), /x2x7k$/);
});

test("a place that was given to another is noticed", () => {
  const other = { ...SOURCE, pod: "web-1" };
  assert.deepEqual(reused([SOURCE, other], [{ ...SOURCE, state: "ended" }, other, SOURCE]), []);
  assert.deepEqual(reused([SOURCE, other], [SOURCE, { ...other, pod: "web-2" }]), [1]);
  assert.deepEqual(reused([SOURCE, other], []), [], "opened anew: that is told by its numbers");
});

test("a mark names its pod and its container once", () => {
  const names = naming([SOURCE, { ...SOURCE, container: "side" }]);
  assert.equal(markLabel(SOURCE, names, "container main was restarted (restart 2)"), "web-0");
  assert.equal(markLabel(SOURCE, names, "lines of container main are missing: rotated"), "web-0");
  assert.equal(markLabel(SOURCE, names, "container main-2 was restarted"), "web-0 main", "of another");
  assert.equal(markLabel(SOURCE, names, "the log is slow"), "web-0 main");
  assert.equal(markLabel(SOURCE, names, "pod web-0 has come"), "");
  assert.equal(markLabel({ ...SOURCE, pod: "web" }, names, "pod web.0 has come, pod web-0 too"), "web main");
});

test("a mark that cannot be read is shown as it is", () => {
  assert.deepEqual(markOf("{oops"), { mark: "", text: "{oops", todo: "" });
  assert.deepEqual(markOf('{"mark":"gap","text":"lost"}'), { mark: "gap", text: "lost", todo: "" });
});

test("troubles are said with what to do, the worst first, and counted where there are many", () => {
  const waiting = { ...SOURCE, state: "waiting", reason: "ContainerCreating" };
  const failed = { ...SOURCE, pod: "web-9", state: "failed", reason: "no such container", todo: "there are: main, side" };
  const some = notices({ ...STATE, sources: [waiting, failed], leftOut: ["a", "b"] }, naming([]), 0);
  assert.deepEqual(some.map(({ tone }) => tone), ["bad", "warn", "warn"]);
  assert.match(some[0]!.text, /no such container · there are: main, side/);
  assert.match(some[2]!.text, /2 pods are left out.*max_pods=/);
  const many = notices({ ...STATE, sources: Array.from({ length: 20 }, () => waiting) }, naming([]), 0);
  assert.equal(many.length, 3);
  assert.match(many[2]!.text, /^18 more/);
  assert.deepEqual(notices({ ...STATE, note: "looked at every 5 s" }, naming([]), 0), [{ name: "", text: "looked at every 5 s", tone: "" }]);
  const problem = { code: "forbidden", what: "you may not list pods", said: "forbidden: x", todo: "ask for it" };
  assert.equal(notices({ ...STATE, problem }, naming([]), 0)[0]!.text, "you may not list pods: forbidden: x · ask for it");
});

test("the kernel and the way to it", () => {
  const well = { kernel: "live", attention: "watching", heard: 0 } as const;
  assert.equal(kernelNotice(well, false, false), undefined);
  assert.match(kernelNotice({ ...well, kernel: "gone" }, true, true)!.text, /Run the cell again/);
  assert.match(kernelNotice(well, true, false)!.text, /^Closed/);
  assert.match(kernelNotice({ ...well, attention: "idle" }, false, false)!.text, /half an hour/);
});

test("no line is not nothing to say", () => {
  assert.match(emptyWords(undefined, undefined, 0), /kernel/);
  const head = { title: "x", settings: {} as never };
  assert.match(emptyWords(head, { ...STATE, sources: [] }, 0), /joins by itself/);
  assert.match(emptyWords(head, STATE, 5), /filters/);
  assert.match(topWords(50, { oldest: 10, end: 90, dropped: 0 }, false, false), /40 older lines/);
  assert.match(topWords(10, { oldest: 10, end: 90, dropped: 10 }, false, false), /10 lines were dropped/);
});
