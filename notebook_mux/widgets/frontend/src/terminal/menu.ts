/** The menu at a right click: what the host's own menu would do to a terminal is of no use. */

import { element } from "../common/dom";

export interface Entry {
  words: string;
  act(): void;
  enabled: boolean;
}

/** Show a menu in `root` at a point of it; it goes with a choice, a click elsewhere, Escape or Tab. */
export function showMenu(root: HTMLElement, x: number, y: number, entries: Entry[], left: () => void): void {
  root.querySelector(".menu")?.remove();
  const menu = element("div", { class: "menu", role: "menu" });
  const end = new AbortController();
  const close = (back: boolean) => {
    if (!menu.isConnected) return;
    menu.remove();
    end.abort();
    if (back) left();
  };
  for (const { words, act, enabled } of entries) {
    const item = element("button", { type: "button", role: "menuitem" }, words);
    item.disabled = !enabled;
    item.addEventListener("click", () => {
      close(true);
      act();
    });
    menu.append(item);
  }
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll<HTMLButtonElement>("button:not(:disabled)")];
    const at = items.indexOf(event.target as HTMLButtonElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) items[(at + step + items.length) % items.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") close(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // not by the focus: a host takes that for the cell that was clicked
  document.addEventListener(
    "pointerdown",
    (event) => {
      if (!event.composedPath().includes(menu)) close(false);
    },
    { capture: true, signal: end.signal },
  );
  root.append(menu);
  const room = root.getBoundingClientRect();
  menu.style.left = `${Math.max(0, Math.min(x, room.width - menu.offsetWidth - 4))}px`;
  menu.style.top = `${Math.max(0, Math.min(y, room.height - menu.offsetHeight - 4))}px`;
  menu.querySelector<HTMLButtonElement>("button:not(:disabled)")?.focus();
}
