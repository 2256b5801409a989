import assert from "node:assert/strict";
import test from "node:test";

import { head, row } from "./fake_rows";
import { Arrangement, type Rules } from "./arrangement";
import { byPlace } from "./cells";
import { compareGroups } from "./groups";
import { CHANGED_MS, GONE_MS, Marks, NEW_MS } from "./marks";
import { Picks } from "./picks";
import { Show } from "./show";

const RULES: Rules = { compare: byPlace, passes: () => true, groupOf: undefined, compareGroups, fault: () => false };

test("marks go by themselves, each after its time", () => {
  let now = 0;
  const marks = new Marks(() => now);
  const [a, b, c] = [row("a"), row("b"), row("c")];
  marks.added(a);
  marks.gone(b);
  marks.changed(c, ["Status"]);
  now = CHANGED_MS - 1;
  marks.changed(c, ["Age"]);
  assert.deepEqual([marks.row(a.key), marks.row(b.key), [...(marks.cells(c.key) ?? [])].length], ["new", "gone", 2]);
  now = CHANGED_MS;
  assert.deepEqual(marks.expire(), []);
  assert.deepEqual([...(marks.cells(c.key)?.keys() ?? [])], ["Age"]);
  now = GONE_MS;
  assert.deepEqual(marks.expire(), [b]);
  now = NEW_MS + CHANGED_MS;
  marks.expire();
  assert.equal(marks.any, false);
});

test("the first state is quiet; afterwards only what is on the screen is marked, and a cell only if it says something else", () => {
  const show = new Show(new Arrangement(RULES));
  const HEAD = head(["Status"]);
  const [a, b, c] = [row("a", ["Running"]), row("b", ["Running"]), row("z", ["Running"])];
  const others = Array.from({ length: 30 }, (_, index) => row(`m${index}`, ["Running"]));
  show.take(new Map([a, b, c, ...others].map((one) => [one.key, [undefined, one]])), -1, -1, HEAD);
  assert.equal(show.marks.any, false);
  const [a2, c2, d] = [row("a", ["Error"]), row("z", ["Error"]), row("aa", ["Running"])];
  show.take(new Map([[a.key, [a, a2]], [b.key, [b, undefined]], [c.key, [c, c2]], [d.key, [undefined, d]]]), 0, 1, HEAD);
  assert.deepEqual([...(show.marks.cells(a.key)?.keys() ?? [])], ["Status"]);
  assert.deepEqual([show.marks.row(d.key), show.marks.row(b.key), show.marks.cells(c.key)], ["new", "gone", undefined]);
  // gone and still there, and it comes again: once
  const names = () => show.arrangement.shown.map((one) => "name" in one && one.name).slice(0, 3);
  assert.deepEqual(names(), ["a", "aa", "b"]);
  assert.equal(show.arrangement.size, 33);
  const again = row("b", ["Pending"]);
  show.take(new Map([[b.key, [undefined, again]]]), 0, 3, HEAD);
  assert.deepEqual(names(), ["a", "aa", "b"]);
  assert.equal(show.arrangement.shown.length, 34);
  assert.equal(show.marks.row(b.key), "new");
});

test("a selection goes from where it began, and stays with its rows", () => {
  const shown = ["a", "b", "c", "d"].map((name) => row(name));
  const picks = new Picks();
  const key = (index: number) => shown[index]?.key ?? "";
  const names = () => shown.filter((one) => picks.keys.has(one.key)).map((one) => one.name).join("");
  picks.only(key(1));
  picks.through(key(3), shown);
  assert.equal(names(), "bcd");
  picks.through(key(0), shown);
  assert.equal(names(), "ab");
  picks.toggle(key(3));
  assert.equal(names(), "abd");
  shown.reverse();
  assert.equal(names(), "dba");
  assert.equal(picks.keep((one) => one !== key(0)), true);
  assert.equal(names(), "ba");
  picks.clear();
  picks.through(key(2), shown, key(3));
  assert.equal(names(), "ba");
});
