/** What keys do in the list of lines. */

export interface Actions {
  search(): void;
  /** Move the current line by so many. */
  step(lines: number): void;
  page(pages: 1 | -1): void;
  begin(): void;
  end(): void;
  /** Open, close or fold the current line. */
  toggle(): void;
  copy(): void;
  pause(): void;
  next(step: 1 | -1): void;
  leave(): void;
}

/** Act on a key; false where it is not one of ours. */
export function act(event: KeyboardEvent, actions: Actions): boolean {
  const control = event.ctrlKey || event.metaKey;
  if (event.altKey) return false;
  if (control && event.key.toLowerCase() === "f" && !event.shiftKey) actions.search();
  else if (control && event.key.toLowerCase() === "c" && !event.shiftKey) actions.copy();
  else if (control && event.key === "Home") actions.begin();
  else if (control && event.key === "End") actions.end();
  else if (control) return false;
  else {
    const known: Record<string, () => void> = {
      "/": () => actions.search(),
      ArrowUp: () => actions.step(-1),
      ArrowDown: () => actions.step(1),
      PageUp: () => actions.page(-1),
      PageDown: () => actions.page(1),
      Home: () => actions.begin(),
      End: () => actions.end(),
      Enter: () => actions.toggle(),
      " ": () => actions.pause(),
      n: () => actions.next(1),
      N: () => actions.next(-1),
      F3: () => actions.next(event.shiftKey ? -1 : 1),
      Escape: () => actions.leave(),
    };
    const action = known[event.key];
    if (action === undefined) return false;
    action();
  }
  return true;
}
