/**
 * A box above everything else in the page, at the element that opened it.
 *
 * It is in the browser's top layer, for what is around a view cuts off what leaves it. It closes with Escape, with a
 * press elsewhere, and when what it stands at is scrolled out of sight.
 */

const GAP_PX = 3;
const EDGE_PX = 6;
/** A list that has less room below goes above where there is more. */
const ENOUGH_PX = 220;

export class Popup {
  readonly element: HTMLElement;
  #at: HTMLElement;
  #closed: (how: "escape" | "elsewhere" | "done") => void;
  #open: AbortController | undefined;
  /** What had the focus when it opened: a key may have opened it from elsewhere. */
  #before: Element | null = null;

  /** `closed` is called whenever it closes, and with what closed it. */
  constructor(at: HTMLElement, element: HTMLElement, closed: (how: "escape" | "elsewhere" | "done") => void) {
    this.#at = at;
    this.element = element;
    this.#closed = closed;
    element.classList.add("popup");
    element.setAttribute("popover", "manual");
    element.hidden = true;
  }

  get open(): boolean {
    return this.#open !== undefined;
  }

  show(): void {
    if (this.open) return;
    const { signal } = (this.#open = new AbortController());
    this.#before = (this.#at.getRootNode() as Document | ShadowRoot).activeElement;
    if (!this.element.isConnected) this.#at.after(this.element);
    this.element.hidden = false;
    this.element.showPopover?.();
    this.place();
    document.addEventListener(
      "pointerdown",
      (event) => {
        const path = event.composedPath();
        if (!path.includes(this.element) && !path.includes(this.#at)) this.close("elsewhere");
      },
      { capture: true, signal },
    );
    const moved = (event: Event) => {
      if (!event.composedPath().includes(this.element)) this.place();
    };
    window.addEventListener("scroll", moved, { capture: true, passive: true, signal });
    window.addEventListener("resize", moved, { signal });
    this.element.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        this.close("escape");
      },
      { signal },
    );
  }

  /** Close it; the focus goes back to where it was, or to what it stands at, unless the user has pressed elsewhere. */
  close(how: "escape" | "elsewhere" | "done" = "done"): void {
    if (this.#open === undefined) return;
    this.#open.abort();
    this.#open = undefined;
    this.element.hidePopover?.();
    this.element.hidden = true;
    const before = this.#before instanceof HTMLElement && this.#before.isConnected ? this.#before : this.#at;
    if (how !== "elsewhere") before.focus({ preventScroll: true });
    this.#closed(how);
  }

  /** Stand where there is room: its contents may have changed. */
  place(): void {
    const { style } = this.element;
    const at = this.#at.getBoundingClientRect();
    if (at.bottom < 0 || at.top > innerHeight) {
      this.close("elsewhere");
      return;
    }
    const below = innerHeight - at.bottom - GAP_PX - EDGE_PX;
    const above = at.top - GAP_PX - EDGE_PX;
    style.maxWidth = `${innerWidth - 2 * EDGE_PX}px`;
    style.maxHeight = "";
    style.left = "0"; // or it would be no wider than what is right of where it stood
    const wanted = this.element.offsetHeight;
    const up = below < Math.min(wanted, ENOUGH_PX) && above > below;
    style.maxHeight = `${Math.max(80, up ? above : below)}px`;
    const height = Math.min(wanted, Math.max(80, up ? above : below));
    style.top = `${up ? at.top - GAP_PX - height : at.bottom + GAP_PX}px`;
    const wide = this.element.offsetWidth;
    const left = at.left + wide > innerWidth - EDGE_PX ? at.right - wide : at.left;
    style.left = `${Math.max(EDGE_PX, Math.min(left, innerWidth - EDGE_PX - wide))}px`;
  }
}
