/** Tones as colours, weights and shapes. A screen reader says a shape's words, which stand behind the slash. */

import { NAMES, SHAPES } from "./tones";

const TONES = ["good", "warn", "bad", "done"] as const;

function content(tone: string, before: boolean): string {
  const shape = `${before ? "" : "\\2002"}${SHAPES[tone]}`;
  return `content: "${shape}"; content: "${shape}" / "${NAMES[tone]}: ";`;
}

export const TONE_CSS = `
.ag-cell.tone-good { color: var(--good); }
.ag-cell.tone-warn { color: var(--warn); font-weight: 500; }
.ag-cell.tone-bad { color: var(--bad); font-weight: 600; }
.ag-cell.tone-done { color: var(--done); }
.ag-cell.shaped .ag-cell-value::before { content: "○"; content: "○" / ""; display: inline-block; width: 14px; font-size: 75%;
  vertical-align: 1px; }
.ag-cell.shaped.nothing .ag-cell-value::before { content: ""; }
${TONES.map((tone) => `.ag-cell.shaped.tone-${tone} .ag-cell-value::before { ${content(tone, true)} }`).join("\n")}
.ag-cell.tone-warn:not(.shaped, .right) .ag-cell-value::after { ${content("warn", false)} font-size: 75%; }
.ag-cell.tone-bad:not(.shaped, .right) .ag-cell-value::after { ${content("bad", false)} font-size: 75%; }
.ag-cell.right.tone-warn .ag-cell-value::before { ${content("warn", true)} font-size: 75%; margin-right: 4px; }
.ag-cell.right.tone-bad .ag-cell-value::before { ${content("bad", true)} font-size: 75%; margin-right: 4px; }
`;
