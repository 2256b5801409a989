import assert from "node:assert/strict";
import test from "node:test";

import type { Model } from "./afm";
import { hearAgain } from "./deaf";

type Listener = (message: unknown) => unknown;

/** ipywidgets' model. */
class Plain {
  readonly heard: unknown[] = [];
  listener: Listener = (message) => this._handle_comm_msg(message);
  readonly comm = { on_msg: (listener: Listener) => (this.listener = listener) };

  _handle_comm_msg(message: unknown): Promise<void> {
    this.heard.push(message);
    return Promise.resolve();
  }
}

/** anywidget's, with what it waits for before it passes a message on. */
class Waiting extends Plain {
  readonly ready: Promise<void>;

  constructor(ready: Promise<void>) {
    super();
    this.ready = ready;
  }

  override async _handle_comm_msg(message: unknown): Promise<void> {
    await this.ready;
    return super._handle_comm_msg(message);
  }
}

const host = (real: Plain) => ({ get: () => "id", widget_manager: { get_model: () => Promise.resolve(real) } }) as unknown as Model;

test("a model that was given up hears again", async () => {
  const real = new Waiting(Promise.reject(new Error("Failed to initialize model.")));
  await assert.rejects(Promise.resolve(real.listener("before")));
  await hearAgain(host(real));
  await real.listener("after");
  assert.deepEqual(real.heard, ["after"]);
});

test("the comm of one that was not is left alone", async () => {
  for (const real of [new Waiting(Promise.resolve()), new Plain()]) {
    const { listener } = real;
    await hearAgain(host(real));
    assert.equal(real.listener, listener);
  }
});

test("a host without a widget manager, and a model that has gone, change nothing", async () => {
  const gone = { get_model: () => Promise.reject(new Error("widget model not found")) };
  for (const manager of [undefined, {}, gone]) {
    await hearAgain({ get: () => "id", widget_manager: manager } as unknown as Model);
  }
});
