import assert from "node:assert/strict";
import test from "node:test";

import { actOf, isOthers, KEYS, type Pressed } from "./keys";

const press = (key: string, more: Partial<Pressed> = {}) =>
  actOf({ key, ctrlKey: false, altKey: false, metaKey: false, shiftKey: false, repeat: false, isComposing: false, ...more });

test("the keys of k9s where they fit", () => {
  assert.deepEqual(["/", "l", "s", "d", "y", "p", "?"].map((key) => press(key)), [
    "filter", "logs", "shell", "details", "yaml", "pause", "help",
  ]);
  assert.equal(press(":"), "kind");
});

test("no key stands for two things, and none changes a cluster", () => {
  assert.equal(new Set(KEYS.map(({ key }) => key)).size, KEYS.length);
  for (const key of ["Delete", "Backspace", "k", "D", "K", "E"]) assert.equal(press(key, { shiftKey: key.length === 1 && key !== "k" }), undefined);
  for (const { act, words } of KEYS) assert.doesNotMatch(`${act} ${words}`, /delet|kill|scale|restart|edit|apply|drain|cordon/i);
});

test("keys with Ctrl, Alt and Meta are the host's", () => {
  for (const more of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }, { repeat: true }, { isComposing: true }]) {
    assert.equal(press("l", more), undefined);
  }
  assert.equal(press("l", { ctrlKey: true, altKey: true }), undefined);
});

test("as keyboards have them: with Shift, with AltGr, with Caps Lock", () => {
  assert.equal(press("/", { shiftKey: true }), "filter");
  assert.equal(press("?", { shiftKey: true }), "help");
  assert.equal(press("/", { ctrlKey: true, altKey: true }), "filter");
  assert.equal(press("L"), "logs");
  assert.equal(press("L", { shiftKey: true }), undefined);
});

test("what is typed in a field, a menu or a dialog is theirs", () => {
  const role = (name: string) => ({ localName: "div", getAttribute: () => name });
  const cell = role("gridcell");
  assert.equal(isOthers([cell, role("grid")]), false);
  assert.equal(isOthers([{ localName: "input" }, cell]), true);
  assert.equal(isOthers([{ localName: "div", isContentEditable: true }]), true);
  assert.equal(isOthers([role("menuitem"), role("menu")]), true);
  assert.equal(isOthers([{ localName: "button" }, { localName: "dialog" }]), true);
  assert.equal(isOthers([]), true);
});
