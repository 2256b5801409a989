/** How the details look. */

export const DETAILS_CSS = `
.root { container-type: inline-size; border: 0; border-radius: 0; }
.root:focus-within { border: 0; }
.facts { padding: 10px 12px 14px; display: flex; flex-direction: column; gap: 14px; line-height: 1.45; }
.note { padding: 5px 12px; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.note[hidden] { display: none; }
.note.bad { background: color-mix(in srgb, #e5342e 13%, var(--back)); }
.note.warn { background: color-mix(in srgb, #e08600 13%, var(--back)); }
.gone .facts { filter: grayscale(1); }

.figures { display: flex; flex-wrap: wrap; gap: 6px 26px; align-items: flex-end; font-variant-numeric: tabular-nums; margin: 0; }
.figures div { min-width: 0; }
.figures dd { margin: 0; font-size: 112%; font-weight: 600; overflow-wrap: anywhere; }
.figures dt { color: var(--dim); font-size: 85%; }
.figures { flex-direction: row; }
.figures div { display: flex; flex-direction: column-reverse; }

h3 { margin: 0 0 5px; font-size: 88%; font-weight: 600; letter-spacing: .03em; text-transform: uppercase; color: var(--dim);
  display: flex; gap: 8px; align-items: baseline; }
h3 .many { font-weight: 400; letter-spacing: 0; text-transform: none; }
section { min-width: 0; }
dl.items { margin: 0; display: grid; grid-template-columns: minmax(104px, max-content) minmax(0, 1fr); gap: 3px 14px; }
dl.items dt { color: var(--dim); }
dl.items dd { margin: 0; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: minmax(0, 1fr); gap: 14px 28px; }
.pair > :only-child { grid-column: 1 / -1; }
@container (min-width: 860px) { .pair { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); } }

.scroll { overflow-x: auto; outline: none; }
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--dim); font-size: 90%; padding: 2px 14px 3px 0; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
td { padding: 3px 14px 3px 0; vertical-align: top; border-bottom: 1px solid color-mix(in srgb, var(--line) 55%, transparent);
  overflow-wrap: anywhere; min-width: 40px; }
td, dd, summary, .jump, .mono { unicode-bidi: isolate; }
tr:last-child td { border-bottom: 0; }
td.short { white-space: nowrap; overflow-wrap: normal; }

.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); gap: 10px; }
.card { border: 1px solid var(--line); border-radius: 4px; padding: 8px 10px; min-width: 0; border-left-width: 3px; }
.card.good { border-left-color: var(--good); }
.card.warn { border-left-color: var(--warn); }
.card.bad { border-left-color: var(--bad); }
.card .top { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: baseline; margin-bottom: 5px; }
.card .top strong { overflow-wrap: anywhere; }
.card dl.items { grid-template-columns: minmax(84px, max-content) minmax(0, 1fr); }

.mono, pre { font-family: var(--mono); font-size: 93%; }
.list { display: flex; flex-direction: column; gap: 1px; }
.chips { display: flex; flex-wrap: wrap; gap: 4px 6px; }
.chips .mono { background: color-mix(in srgb, var(--text) 7%, transparent); border-radius: 3px; padding: 0 6px; overflow-wrap: anywhere; }
.tone-good { color: var(--good); }
.tone-warn { color: var(--warn); }
.tone-bad { color: var(--bad); font-weight: 600; }
.tone-done { color: var(--done); }
.shape { font-size: 72%; margin-right: 5px; }
.jump { font: inherit; color: var(--link, var(--accent)); background: none; border: 0; padding: 0; height: auto; text-align: left;
  text-decoration: underline; text-decoration-color: color-mix(in srgb, currentColor 40%, transparent); text-underline-offset: 2px;
  overflow-wrap: anywhere; border-radius: 2px; }
.jump:hover { background: none; text-decoration-color: currentColor; }
details > summary { cursor: pointer; overflow-wrap: anywhere; border-radius: 2px; }
summary:focus-visible, pre:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
pre { margin: 4px 0 2px; padding: 6px 8px; background: color-mix(in srgb, var(--text) 5%, transparent); border-radius: 3px;
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: 260px; overflow: auto; }
.keys { display: flex; flex-direction: column; gap: 3px; }
.key { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: baseline; }
.key pre { flex-basis: 100%; }
.key button { height: 20px; font-size: 90%; }
.frozen .facts { filter: grayscale(1); }
`;
