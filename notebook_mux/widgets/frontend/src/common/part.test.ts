import assert from "node:assert/strict";
import test from "node:test";

import type { Model } from "./afm";
import { NO_PARTS, showPart } from "./part";

const host = (manager: unknown) => ({ widget_manager: manager }) as Model;
const nowhere = { append: () => assert.fail("nothing is to be shown") } as unknown as HTMLElement;

/** A manager with one model, and what was done with it. */
function manager() {
  const done: string[] = [];
  const heard = new Set<() => void>();
  const model = {
    set: (name: string, value: unknown) => done.push(`${name}=${value}`),
    on: (name: string, call: () => void) => name === "comm:close" && heard.add(call),
    off: (_: string, call: () => void) => heard.delete(call),
  };
  const view = { el: "view", remove: () => done.push("removed"), trigger: (name: string) => done.push(name) };
  return {
    done,
    heard,
    get_model: (id: string) => (id === "known" ? Promise.resolve(model) : Promise.reject(new Error("no such model"))),
    create_view: () => Promise.resolve(view),
  };
}

test("a part is shown until it is removed, and its end is told", async () => {
  const host_ = manager();
  const shown: unknown[] = [];
  let ended = 0;
  const into = { append: (...nodes: unknown[]) => shown.push(...nodes) } as unknown as HTMLElement;
  const remove = await showPart(host(host_), "known", into, () => (ended += 1));
  assert.deepEqual(shown, ["view"]);
  assert.deepEqual(host_.done, ["_copy=", "displayed"]);
  for (const call of host_.heard) call();
  assert.equal(ended, 1);
  remove();
  assert.deepEqual(host_.done, ["_copy=", "displayed", "removed"]);
  assert.equal(host_.heard.size, 0, "what is removed is told of no end");
});

test("a host without a widget manager says so, and so does one without the widget", async () => {
  for (const none of [undefined, {}, { get_model: () => undefined }]) {
    await assert.rejects(showPart(host(none), "known", nowhere, () => undefined), { message: NO_PARTS });
  }
  await assert.rejects(showPart(host(manager()), "unknown", nowhere, () => undefined), { message: "no such model" });
});
