import assert from "node:assert/strict";
import test from "node:test";

import { hiding, laidOut, moved, NO_LAYOUT, ordered, reordered, sameLayout } from "./layout";
import { LayoutKeeper } from "./layout_keeper";

const TITLES = ["Namespace", "Name", "Ready", "Status", "Age"];

test("titles in the user's order; what the user has not seen comes behind what it follows by itself", () => {
  const layout = { ...NO_LAYOUT, order: ["Status", "Name", "Gone", "Age"] };
  assert.deepEqual(ordered(TITLES, layout), ["Namespace", "Status", "Name", "Ready", "Age"]);
  assert.deepEqual(ordered(TITLES, NO_LAYOUT), TITLES);
});

test("hidden ones are not shown, and never all", () => {
  assert.deepEqual(laidOut(TITLES, { ...NO_LAYOUT, hidden: ["Ready", "Age"] }), ["Namespace", "Name", "Status"]);
  assert.deepEqual(laidOut(TITLES, { ...NO_LAYOUT, hidden: TITLES }), ["Namespace"]);
  assert.deepEqual(hiding(hiding(NO_LAYOUT, "Age", true), "Age", false), NO_LAYOUT);
});

test("a title moves among all of them, and not past their ends", () => {
  assert.deepEqual(moved(TITLES, NO_LAYOUT, "Status", -2).order, ["Namespace", "Status", "Name", "Ready", "Age"]);
  assert.equal(moved(TITLES, NO_LAYOUT, "Namespace", -1), NO_LAYOUT);
  assert.equal(moved(TITLES, NO_LAYOUT, "Nothing", 1), NO_LAYOUT);
});

test("what is dragged leaves hidden ones behind what they followed", () => {
  const layout = { ...NO_LAYOUT, hidden: ["Ready"] };
  const shown = ["Age", "Namespace", "Name", "Status"];
  const next = reordered(TITLES, layout, shown);
  assert.deepEqual(next.order, ["Age", "Namespace", "Name", "Ready", "Status"]);
  assert.deepEqual(laidOut(TITLES, next), shown);
});

/** A keeper whose kernel answers when the test lets it. */
function kept() {
  const said: unknown[] = [];
  let drawn = 0;
  let answer: (at: number | undefined) => void = () => undefined;
  const keeper = new LayoutKeeper(
    {
      say: (layout) => {
        said.push(layout);
        return new Promise<number | undefined>((done) => (answer = done));
      },
      changed: () => (drawn += 1),
      titles: () => TITLES,
    },
    new AbortController().signal,
  );
  const mine = { ...NO_LAYOUT, hidden: ["Age"] };
  const saying = async (): Promise<void> => {
    keeper.set(mine);
    for (const before = said.length; said.length === before; ) await new Promise((done) => setTimeout(done, 20));
  };
  const answered = async (at: number | undefined): Promise<void> => {
    answer(at);
    await new Promise((done) => setTimeout(done, 0));
  };
  return { keeper, mine, said: saying, answered, drawn: () => drawn };
}

test("a view's own change is not undone by what the kernel said before it", async () => {
  const { keeper, mine, said, answered } = kept();
  const saying = said();
  keeper.told(null, 3);
  assert.ok(sameLayout(keeper.layout, mine));
  await saying;
  keeper.told(null, 3);
  assert.ok(sameLayout(keeper.layout, mine));
  await answered(4);
  assert.ok(sameLayout(keeper.layout, mine));
  keeper.told({ ...NO_LAYOUT, order: ["Age"] }, 5);
  assert.deepEqual(keeper.layout.order, ["Age"]);
});

test("what others arrange while a view's own change is on its way is not missed", async () => {
  const { keeper, said, answered, drawn } = kept();
  await said();
  keeper.told({ ...NO_LAYOUT, order: ["Age"] }, 5);
  assert.deepEqual(keeper.layout.order, []);
  const before = drawn();
  await answered(4);
  assert.deepEqual([keeper.layout.order, drawn()], [["Age"], before + 1]);
});

test("what the kernel refuses stays as its user arranged it", async () => {
  const { keeper, mine, said, answered } = kept();
  keeper.told(null, 0);
  await said();
  await answered(undefined);
  assert.ok(sameLayout(keeper.layout, mine));
});
