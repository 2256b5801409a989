/** A pointer that is pressed on an element: a button that is drawn anew before it is let go of is not clicked. */

/** So long at most does what is to be drawn wait for whoever does not let go. */
export const MOST_MS = 5000;

export class Pressed {
  #since = -Infinity;

  /** @param released Called when it was let go of, after the click. */
  constructor(element: EventTarget, released: () => void, signal: AbortSignal) {
    element.addEventListener("pointerdown", () => (this.#since = performance.now()), { signal });
    const up = () => {
      if (this.#since === -Infinity) return;
      setTimeout(() => {
        this.#since = -Infinity;
        released();
      });
    };
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, up, { capture: true, signal });
  }

  get now(): boolean {
    return performance.now() - this.#since < MOST_MS;
  }
}
