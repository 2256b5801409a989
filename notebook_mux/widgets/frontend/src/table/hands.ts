/** What a user does with rows and groups by pointer and keys: select, open, close. */

import { isGroup, type Shown } from "./arrangement";
import type { Picks } from "./picks";
import type { Row } from "./rows";
import type { Show } from "./show";

export interface HandsHooks {
  at(place: number): Shown | undefined;
  /** What has the focus now. */
  focused(): Shown | undefined;
  /** The selection is another one. */
  picked(): void;
  /** Groups were opened or closed. */
  toggled(): void;
  /** Enter on a row. */
  entered(row: Row): void;
}

const TURNS = new Set(["Enter", " ", "ArrowRight", "ArrowLeft"]);

export class Hands {
  #picks: Picks;
  #show: Show;
  #hooks: HandsHooks;

  constructor(picks: Picks, show: Show, hooks: HandsHooks) {
    this.#picks = picks;
    this.#show = show;
    this.#hooks = hooks;
  }

  click(place: number, event: MouseEvent): void {
    const shown = this.#hooks.at(place);
    if (shown === undefined) return;
    if (isGroup(shown)) {
      this.#toggle(shown.group, !shown.open);
      return;
    }
    if (event.shiftKey) this.#picks.through(shown.key, this.#show.arrangement.shown);
    else if (event.ctrlKey || event.metaKey) this.#picks.toggle(shown.key);
    else this.#picks.only(shown.key);
    this.#hooks.picked();
  }

  /** A key at a place, after the grid has done what it does with it. */
  key(place: number, event: KeyboardEvent): void {
    const shown = this.#hooks.at(place);
    const control = event.ctrlKey || event.metaKey;
    if (event.altKey) return;
    if (control && !event.shiftKey && event.key.toLowerCase() === "a") {
      this.#picks.all(this.#show.arrangement.passed().map((row) => row.key));
      this.#hooks.picked();
    } else if (isGroup(shown)) {
      if (control || event.shiftKey || !TURNS.has(event.key)) return;
      const open = event.key === "ArrowRight" || (event.key !== "ArrowLeft" && !shown.open);
      if (open === shown.open) return;
      this.#toggle(shown.group, open);
    } else if (shown === undefined || !this.#row(shown, event, control)) return;
    event.preventDefault();
  }

  #row(row: Row, event: KeyboardEvent, control: boolean): boolean {
    const { shown } = this.#show.arrangement;
    if (event.key === " ") {
      if (event.shiftKey) this.#picks.through(row.key, shown);
      else this.#picks.toggle(row.key);
    } else if (event.shiftKey && !control && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const to = this.#hooks.focused(); // the grid has moved it
      if (to === undefined || isGroup(to)) return false;
      this.#picks.through(to.key, shown, row.key);
    } else if (event.key === "Enter" && !control && !event.shiftKey) {
      this.#hooks.entered(row);
      return false;
    } else return false;
    this.#hooks.picked();
    return true;
  }

  #toggle(group: string, open: boolean): void {
    this.#show.arrangement.toggle(group, open);
    this.#hooks.toggled();
  }
}
