/** One view of events: its own filter, order and choice over the page's copy of them. */

import type { Model } from "../common/afm";
import { element, hideCopy, setText } from "../common/dom";
import { randomId } from "../common/ids";
import type { Link } from "../common/link";
import { type Words, words } from "./words";
import { shadow } from "../common/style";
import { Bar } from "./bar";
import { CSS, ROW_PX } from "./css";
import type { Happened, Head, Store } from "./data";
import { Details } from "./details";
import { beginOf, type Lane, lanesOf } from "./lanes";
import { itemsOf, shownOf } from "./list";
import { RowList } from "./rows";
import { Timeline } from "./timeline";

const TICK_MS = 1000;
const LIST_PX = 264;
const LEAST_ROWS = 1;
/** With so many, they are ordered anew only so often. */
const MANY = 2000;
const MANY_MS = 700;

/** What a view needs of the page's copy. */
export interface Shared {
  readonly link: Link;
  readonly store: Store;
  readonly head: Head | undefined;
  now(): number;
  /** The time in the clusters: what happened there counts from it. */
  time(): number;
  /** These have been looked at, in whichever view. */
  seen(keys: readonly string[]): void;
}

export class View {
  #shared: Shared;
  #id = randomId();
  #abort = new AbortController();
  #root = element("div", { class: "root", role: "region", tabindex: "-1", "aria-label": "events" });
  #bar: Bar;
  #time: Timeline;
  #list: RowList;
  #details: Details;
  #empty = element("div", { class: "empty", role: "status" });
  #words: Words = words("");
  #grouped = false;
  #warningsFirst = false;
  #folded = new Set<string>();
  #back = 0;
  #picked = "";
  #shown: Happened[] = [];
  #lanes: Lane[] = [];
  #rowsHigh = LEAST_ROWS;
  #inSight = true;
  #due: ReturnType<typeof setTimeout> | undefined;
  #ordered = 0;

  constructor(model: Model, el: HTMLElement, shared: Shared) {
    this.#shared = shared;
    const { signal } = this.#abort;
    const root = shadow(el, CSS);
    this.#root.setAttribute("data-lm-suppress-shortcuts", "true");
    this.#bar = new Bar(
      {
        filter: (text) => {
          this.#words = words(text);
          this.#list.top();
          this.#order();
        },
        grouped: (on) => {
          this.#grouped = on;
          this.#list.top();
          this.#order();
        },
        warningsFirst: (on) => {
          this.#warningsFirst = on;
          this.#list.top();
          this.#order();
        },
        back: (seconds) => {
          this.#back = seconds;
          this.#draw();
        },
        fresh: () => this.#showFresh(),
        ask: async (what) => {
          const answer = await shared.link.ask({ t: "do", what, view: this.#id });
          return String(answer.ok ? (answer["said"] ?? "") : answer.error);
        },
        resume: () => shared.link.touch(),
      },
      signal,
    );
    this.#time = new Timeline({ pick: (key) => this.#pick(key, "list"), lane: (lane) => this.#showLane(lane) }, signal);
    this.#list = new RowList(
      {
        pick: (key) => this.#pick(key === this.#picked ? "" : key, "time"),
        fold: (lane) => {
          if (!this.#folded.delete(lane)) this.#folded.add(lane);
          this.#order();
        },
        seen: (keys) => shared.seen(keys),
      },
      () => shared.time(),
      signal,
    );
    this.#details = new Details(
      {
        close: () => this.#pick("", "time"),
        around: (one) => shared.link.ask({ t: "around", view: this.#id, key: one.wire }),
        happened: () => shared.store.happened.values(),
      },
      signal,
    );
    this.#root.append(
      this.#bar.top, this.#bar.lines, this.#time.element, this.#time.legend, this.#empty, this.#list.element,
      this.#details.element, this.#bar.foot,
    );
    root.append(this.#root);
    const timer = setInterval(() => this.tick(), TICK_MS);
    const sight = new IntersectionObserver((seen) => (this.#inSight = seen.some((one) => one.isIntersecting)));
    sight.observe(this.#list.element);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      clearTimeout(this.#due);
      sight.disconnect();
    });
    hideCopy(el, String(model.get("_copy")), signal);
    this.#order();
    this.tick();
  }

  dispose(): void {
    this.#abort.abort();
  }

  /** Something has changed. */
  change(): void {
    const { head, store } = this.#shared;
    if (head !== undefined) this.#bar.head(head);
    const wait = store.happened.size > MANY ? Math.max(0, this.#ordered + MANY_MS - performance.now()) : 0;
    if (wait === 0) this.#order();
    else this.#due ??= setTimeout(() => this.#order(), wait);
  }

  tick(): void {
    const { head, link } = this.#shared;
    this.#root.classList.toggle("frozen", link.condition.kernel !== "live" || head?.closed === true);
    if (document.visibilityState === "hidden") return;
    if (head !== undefined) this.#bar.tick(head, link, this.#shared.now());
    if (link.condition.kernel !== "live") return;
    this.#list.tick(this.#inSight && link.condition.attention === "watching");
    this.#draw();
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  /** What is shown, and in which order. */
  #order(): void {
    clearTimeout(this.#due);
    this.#due = undefined;
    const { store } = this.#shared;
    this.#shown = shownOf(store.happened.values(), this.#words);
    const filtering = this.#words.has.length + this.#words.not.length > 0;
    this.#lanes = lanesOf(store, this.#shown, !filtering);
    this.#rows();
    this.#draw();
    this.#ordered = performance.now();
  }

  #rows(): void {
    const { store, head } = this.#shared;
    const choice = { words: this.#words, grouped: this.#grouped, warningsFirst: this.#warningsFirst, folded: this.#folded };
    const items = itemsOf(this.#shown, this.#lanes, choice);
    this.#list.draw({ items, grouped: this.#grouped, where: (one) => this.#where(one), picked: this.#picked, fresh: store.fresh });
    // it grows with its rows and does not shrink: what is below in the notebook must not jump
    this.#rowsHigh = Math.max(this.#rowsHigh, items.length);
    this.#list.element.style.height = `${Math.min(LIST_PX, this.#rowsHigh * ROW_PX)}px`;
    this.#list.element.hidden = items.length === 0;
    let times = 0;
    let warnings = 0;
    for (const one of this.#shown) {
      times += one.count;
      if (one.warning) warnings += 1;
    }
    this.#bar.counts(this.#shown.length, store.happened.size, times, warnings, store.fresh.size);
    this.#sayEmpty(head, items.length === 0);
  }

  #draw(): void {
    const { store } = this.#shared;
    const now = this.#shared.time();
    const from = this.#back > 0 ? now - this.#back : beginOf(this.#shown, now);
    this.#time.draw(this.#lanes, from, now, { stamp: `${store.version} ${this.#back} ${this.#picked}`, key: this.#picked, fresh: store.fresh });
    const one = store.happened.get(this.#picked);
    this.#details.draw(one, one === undefined ? [] : (store.owners.get(one.thing) ?? []), one === undefined ? "" : this.#where(one), now);
  }

  #where({ cluster, namespace }: Happened): string {
    const { head } = this.#shared;
    const [clusters, namespaces] = head?.several ?? [false, false];
    const name = clusters ? `${head?.clusters[cluster]?.name ?? ""} ` : "";
    return `${name}${namespaces && namespace !== "" ? `${namespace}/` : ""}`;
  }

  #pick(key: string, reveal: "list" | "time"): void {
    this.#picked = key;
    const one = this.#shared.store.happened.get(key);
    if (one !== undefined && this.#grouped) this.#folded.delete(one.thing);
    this.#rows();
    this.#draw();
    if (one === undefined) return;
    this.#list.reveal(key);
    if (reveal === "time") this.#time.reveal(one.thing);
  }

  #showLane(lane: Lane): void {
    const newest = [...lane.happened].sort((a, b) => b.last - a.last)[0];
    if (newest !== undefined) this.#pick(newest.key, "list");
  }

  #showFresh(): void {
    const { store } = this.#shared;
    const fresh = this.#shown.filter((one) => store.fresh.has(one.key)).sort((a, b) => b.last - a.last)[0];
    if (fresh === undefined) {
      this.#shared.seen([...store.fresh]); // what is new does not pass the filter
      return;
    }
    if (this.#grouped) this.#folded.delete(fresh.thing);
    this.#rows();
    this.#list.reveal(fresh.key);
    this.#time.reveal(fresh.thing);
  }

  #sayEmpty(head: Head | undefined, empty: boolean): void {
    this.#empty.hidden = !empty;
    if (!empty) return;
    const { store } = this.#shared;
    const unread = head?.clusters.filter((cluster) => !cluster.synced) ?? [];
    if (head === undefined) setText(this.#empty, "waiting for the kernel …");
    else if (store.happened.size > 0) setText(this.#empty, `None of ${store.happened.size} events passes the filter.`);
    else if (unread.length > 0) {
      setText(this.#empty, `Not read yet: ${unread.map(({ name, state }) => `${name} (${state})`).join(", ")}`);
    } else {
      const what = head.title.startsWith("warnings") ? "warnings" : "events";
      setText(this.#empty, `No ${what} in the last hour; the API server keeps events for about an hour by default.`);
    }
  }
}
