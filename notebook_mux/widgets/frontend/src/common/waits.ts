/** A word where an answer is waited for that the kernel cannot give before the running cell is through. */

import { element, setText } from "./dom";

const WORDS = "It waits: this kernel hears the page when the running cell is through.";
const CLASS = "waits";

/** A line that is empty until `sayWaits` fills it. */
export function waitLine(): HTMLElement {
  return element("div", { class: CLASS, role: "status" });
}

/** Say, or say no more, in all such lines of a view that what was asked waits. */
export function sayWaits(root: HTMLElement, waits: boolean): void {
  for (const line of root.querySelectorAll(`.${CLASS}`)) setText(line, waits ? WORDS : "");
}

export const WAITS_CSS = `
.${CLASS} { color: var(--dim); padding: 2px 0; }
.${CLASS}:empty { display: none; }
`;
