/** The lower edge of a view: dragged, or moved by keys, it sets the height. */

import { element } from "../common/dom";

const LEAST_PX = 80;
const STEP_PX = 24;

export class Grip {
  readonly bar = element("div", {
    class: "grip",
    role: "separator",
    "aria-orientation": "horizontal",
    "aria-label": "Height",
    tabindex: "0",
    title: "Drag to change the height",
  });
  #apply: (pixels: number) => void;
  #height = 0;

  constructor(apply: (pixels: number) => void, signal: AbortSignal) {
    this.#apply = apply;
    this.bar.addEventListener(
      "pointerdown",
      (down) => {
        const [from, height] = [down.clientY, this.#height];
        this.bar.setPointerCapture(down.pointerId);
        const move = (event: PointerEvent) => this.set(height + event.clientY - from);
        this.bar.addEventListener("pointermove", move, { signal });
        this.bar.addEventListener("lostpointercapture", () => this.bar.removeEventListener("pointermove", move), {
          once: true,
        });
        down.preventDefault();
      },
      { signal },
    );
    this.bar.addEventListener(
      "keydown",
      (event) => {
        const step = event.key === "ArrowDown" ? STEP_PX : event.key === "ArrowUp" ? -STEP_PX : 0;
        if (step === 0) return;
        this.set(this.#height + step);
        event.preventDefault();
      },
      { signal },
    );
  }

  set(pixels: number): void {
    this.#height = Math.max(LEAST_PX, Math.round(pixels));
    this.bar.setAttribute("aria-valuenow", String(this.#height));
    this.#apply(this.#height);
  }
}
