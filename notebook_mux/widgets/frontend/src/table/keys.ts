/** Which key does what in a table: those of k9s where they fit. None of them changes or deletes anything in a cluster. */

export type Act =
  | "filter" | "faults" | "wide" | "usage" | "group" | "pause"
  | "details" | "yaml" | "logs" | "shell" | "events"
  | "kind" | "namespace" | "cluster" | "copy" | "help";

export interface Key {
  key: string;
  act: Act;
  words: string;
  /** It is of the row that has the focus, or is selected. */
  row: boolean;
}

const of = (key: string, act: Act, words: string, row = false): Key => ({ key, act, words, row });

export const KEYS: readonly Key[] = [
  of("d", "details", "Details", true),
  of("y", "yaml", "YAML", true),
  of("l", "logs", "Logs", true),
  of("s", "shell", "Shell", true),
  of("e", "events", "Events", true),
  of("/", "filter", "Filter"),
  of("f", "faults", "Faults only"),
  of("g", "group", "Group by …"),
  of("w", "wide", "Wide columns"),
  of("u", "usage", "CPU and memory"),
  of("p", "pause", "Pause, go on"),
  of(":", "kind", "Another kind"),
  of("n", "namespace", "Namespaces"),
  of("x", "cluster", "Clusters"),
  of("c", "copy", "Copy selected names"),
  of("?", "help", "All keys"),
];

/** What the grid itself does, for the list of all keys. */
export const GRID_KEYS: readonly [key: string, words: string][] = [
  ["↑ ↓ ← →", "Move; Ctrl: to the end"],
  ["Enter", "Details, open and close"],
  ["Space", "Select; Shift: as far as here"],
  ["Ctrl+A", "Select all rows"],
  ["Alt+← →", "On a title: narrower, wider"],
  ["Shift+← →", "On a title: move its column"],
  ["Esc", "Close what was opened last"],
  ["Tab", "Leave the rows"],
];

/** What is looked at of a keyboard event. */
export interface Pressed {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  repeat: boolean;
  isComposing: boolean;
}

/** What a key asks for; undefined where it is not one of ours. */
export function actOf(pressed: Pressed): Act | undefined {
  const { key, ctrlKey, altKey, metaKey, shiftKey, repeat, isComposing } = pressed;
  // AltGr, by which some keyboards have these characters, is Ctrl and Alt together
  const character = ctrlKey && altKey && !/^[a-z]$/i.test(key);
  if (((ctrlKey || altKey) && !character) || metaKey || repeat || isComposing) return undefined;
  // a letter with the Shift key is another one; with Caps Lock it is not
  const name = /^[A-Z]$/.test(key) && !shiftKey ? key.toLowerCase() : key;
  return KEYS.find((one) => one.key === name)?.act;
}

interface Place {
  localName?: string;
  isContentEditable?: boolean;
  getAttribute?(name: string): string | null;
}

const FIELDS = new Set(["input", "textarea", "select"]);

/** Whether keys that are pressed here are text, or another thing's own: a field, a menu, a list of choices, a dialog. */
export function isOthers(path: readonly Place[]): boolean {
  const target = path[0];
  if (target === undefined) return true;
  if (FIELDS.has(target.localName ?? "") || target.isContentEditable === true) return true;
  return path.some((place) => {
    const role = place.getAttribute?.("role");
    return place.localName === "dialog" || role === "dialog" || role === "menu" || role === "listbox" || role === "tablist";
  });
}
