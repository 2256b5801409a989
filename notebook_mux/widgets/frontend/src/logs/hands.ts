/** What keys and the mouse do in a view's lines. */

import { act } from "./keys";
import type { Drawing } from "./line";
import type { List } from "./list";
import { selection } from "./taking";
import { both } from "./times";

export interface Actions {
  search(): void;
  copy(): void;
  pause(): void;
  next(step: 1 | -1): void;
  /** Make a row the current one, and bring it into sight. */
  go(place: number): void;
  toggle(slot: number, what: "fold" | "open"): void;
}

/** Listen until `signal` aborts. */
export function listen(root: HTMLElement, list: List, drawing: Drawing, actions: Actions, signal: AbortSignal): void {
  const { element } = list;
  root.addEventListener("keydown", (event) => {
    const search = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f";
    if ((event.target === element || search) && pressed(event, list, drawing, actions)) event.preventDefault();
    event.stopPropagation();
  }, { signal });
  element.addEventListener("click", (event) => {
    const line = list.lineAt(event.target);
    if (line === undefined || line.slot < 0 || selection(root) !== "") return;
    const what = (event.target as Element).closest("button")?.dataset["act"];
    if (what === "fold" || what === "open") actions.toggle(line.slot, what);
    else if (drawing.store.isMark(line.slot)) actions.toggle(line.slot, "open");
    else {
      drawing.current = line.slot;
      element.setAttribute("aria-activedescendant", `r${line.slot}`);
      list.plan();
    }
  }, { signal });
  element.addEventListener("mouseover", (event) => {
    const at = (event.target as Element).closest<HTMLElement>(".at");
    const line = at === null ? undefined : list.lineAt(at);
    if (at !== null && line !== undefined && line.slot >= 0) at.title = both(drawing.store.time(line.slot));
  }, { signal });
  // what is being selected must stay where it is
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || list.lineAt(event.target) === undefined) return;
    list.held = true;
    const end = new AbortController();
    const letGo = () => {
      end.abort();
      list.held = false;
      if (selection(root) !== "" && list.follow) list.go(false);
      list.plan();
    };
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, letGo, { signal: end.signal });
    signal.addEventListener("abort", () => end.abort(), { signal: end.signal });
  }, { signal });
}

function pressed(event: KeyboardEvent, list: List, drawing: Drawing, actions: Actions): boolean {
  const { rows, store } = drawing;
  const move = (to: number) => {
    if (rows.count > 0) actions.go(Math.max(0, Math.min(rows.count - 1, to)));
  };
  const place = (otherwise: number) => (drawing.current === undefined ? otherwise : rows.placeOf(drawing.current));
  return act(event, {
    search: () => actions.search(),
    step: (lines) => move(drawing.current === undefined ? list.seen[1] : place(0) + lines),
    page: (pages) => move(place(list.seen[pages < 0 ? 0 : 1]) + pages * list.rowsSeen),
    begin: () => list.begin(),
    end: () => {
      drawing.current = undefined;
      list.go(true);
    },
    toggle: () => {
      const { current } = drawing;
      if (current === undefined) return;
      const head = store.heads[current] as number;
      if (rows.below(head) > 0) actions.toggle(head, "fold");
      else actions.toggle(current, "open");
    },
    copy: () => actions.copy(),
    pause: () => actions.pause(),
    next: (step) => actions.next(step),
    leave: () => {
      drawing.current = undefined;
      list.plan();
    },
  });
}
