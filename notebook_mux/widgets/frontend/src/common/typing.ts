/** Keys go first: what is drawn without anybody waiting for it gives way to what keys bring, wherever they are pressed. */

/** Somebody types while keys follow each other so closely: a quick typist's take 100 ms. */
export const KEY_MS = 120;

/** It waits so long at most: what pours in is seen once a second by whoever types all the time. */
export const MOST_MS = 1000;

let pressed = -Infinity;
globalThis.document?.addEventListener("keydown", () => (pressed = performance.now()), { capture: true, passive: true });

/** Do something at once, or when no more keys come; gives what undoes it. */
export function afterKeys(go: () => void): () => void {
  const latest = performance.now() + MOST_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    const wait = Math.min(pressed + KEY_MS, latest) - performance.now();
    if (wait <= 0) go();
    else timer = setTimeout(look, wait);
  };
  look();
  return () => clearTimeout(timer);
}
