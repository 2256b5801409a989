/**
 * Whether somebody may be looking at this page: it is visible, or was within the minute, and there was input within
 * half an hour. Comm messages count as activity, so a forgotten tab must not keep a Hub's server alive.
 */

const HIDDEN_MS = 60_000;
const IDLE_MS = 30 * 60_000;
const CHECK_MS = 5_000;
const INPUT = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] as const;

export type Attention = "watching" | "hidden" | "idle";

export class Presence {
  #input = Date.now();
  #hiddenSince: number | undefined;
  #now: Attention = "watching";
  #listeners = new Set<(attention: Attention) => void>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #abort: AbortController | undefined;

  get attention(): Attention {
    return this.#now;
  }

  /** Be told of each change until `signal` aborts. */
  listen(listener: (attention: Attention) => void, signal: AbortSignal): void {
    if (this.#listeners.size === 0) this.#begin();
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#end();
    });
  }

  /** The user asked to go on. */
  touch(): void {
    this.#input = Date.now();
    this.#look();
  }

  #begin(): void {
    const { signal } = (this.#abort = new AbortController());
    const input = () => {
      this.#input = Date.now();
      if (this.#now !== "watching") this.#look();
    };
    for (const name of INPUT) document.addEventListener(name, input, { capture: true, passive: true, signal });
    document.addEventListener("visibilitychange", () => this.#look(), { signal });
    this.#timer = setInterval(() => this.#look(), CHECK_MS);
    this.#input = Date.now();
    this.#look();
  }

  #end(): void {
    this.#abort?.abort();
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = Date.now();
    const visible = document.visibilityState !== "hidden";
    this.#hiddenSince = visible ? undefined : (this.#hiddenSince ?? now);
    const hidden = this.#hiddenSince !== undefined && now - this.#hiddenSince >= HIDDEN_MS;
    const next: Attention = now - this.#input >= IDLE_MS ? "idle" : hidden ? "hidden" : "watching";
    if (next === this.#now) return;
    this.#now = next;
    for (const listener of this.#listeners) listener(next);
  }
}

/** One for the page, shared by the widgets of this bundle. */
export const presence = new Presence();
