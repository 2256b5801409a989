/** What is wrong, in a row of its own below the one it is about. */

import { element } from "../common/dom";
import { type Standing, stateTone, trouble } from "../common/trouble";

export function troubleRow(at: Standing, now: number, columns: number, name = ""): HTMLElement {
  const words = element("span", {}, trouble(at, now));
  const cell = element("td", { colspan: String(columns) }, element("div", { class: `why ${stateTone(at.state)}` }, words));
  if (name !== "") words.before(element("strong", {}, name), " ");
  return element("tr", { class: "why" }, cell);
}
