/** Buttons of the view: icons, and those that stay pressed. */

import { element } from "../common/dom";

export { icon, iconButton } from "../common/icons";

export function toggle(text: string, title: string): HTMLButtonElement {
  return element("button", { type: "button", "aria-pressed": "false", title, "aria-label": title }, text);
}

export function pressed(button: HTMLButtonElement): boolean {
  return button.getAttribute("aria-pressed") === "true";
}

export function press(button: HTMLButtonElement, on: boolean): void {
  button.setAttribute("aria-pressed", String(on));
}
