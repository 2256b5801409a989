/** Drawing that waits while a pointer is down: an element that is replaced under it would never be clicked. */

export class Hold {
  #frame = 0;
  #down = false;
  #wanted = false;

  /**
   * @param target Where the pointer goes down.
   * @param draw What is drawn, at most once a frame.
   */
  constructor(
    target: Element,
    private readonly draw: () => void,
    signal: AbortSignal,
  ) {
    const up = (): void => {
      // the click comes behind it
      setTimeout(() => {
        this.#down = false;
        if (this.#wanted) this.later();
      }, 0);
    };
    target.addEventListener("pointerdown", () => (this.#down = true), { signal });
    for (const name of ["pointerup", "pointercancel", "blur"]) window.addEventListener(name, up, { signal, capture: true });
    signal.addEventListener("abort", () => cancelAnimationFrame(this.#frame));
  }

  /** Draw with the next frame, or when the pointer is up again. */
  later(): void {
    this.#wanted = true;
    if (this.#down || this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#down) return;
      this.#wanted = false;
      this.draw();
    });
  }
}
