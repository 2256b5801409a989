/** How the pane below the rows looks. */

export const PANEL_CSS = `
.panel { border-top: 2px solid var(--accent); outline: none; display: flex; flex-direction: column; min-width: 0; }
.panel[hidden] { display: none; }
.panel > .bar { flex-wrap: nowrap; }
.panel .way { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 6px; min-width: 0; margin: 0; padding: 0; list-style: none; }
.panel .way li { display: inline-flex; gap: 6px; align-items: baseline; min-width: 0; overflow-wrap: anywhere; }
.panel .way li + li::before { content: "›"; color: var(--dim); }
.panel .way button { border: 0; background: none; padding: 0 1px; color: var(--dim); text-decoration: underline; text-underline-offset: 2px;
  text-decoration-color: color-mix(in srgb, currentColor 40%, transparent); height: auto; text-align: left; overflow-wrap: anywhere; }
.panel .way li > .dim { white-space: nowrap; }
.panel .way .title { overflow-wrap: anywhere; }
.panel nav { min-width: 0; flex: 0 1 auto; }
.panel .ends { display: inline-flex; gap: 8px; margin-left: auto; flex: none; }
.panel .step { padding: 0 6px; min-width: 24px; }
.panel button:disabled { opacity: .45; cursor: default; }
.panel .tabs { display: flex; flex-wrap: wrap; gap: 0 2px; padding: 0 8px; background: var(--raised); border-bottom: 1px solid var(--line); }
.panel .tabs button { border: 0; border-radius: 0; background: none; height: 26px; padding: 0 10px; color: var(--dim);
  box-shadow: inset 0 -2px 0 transparent; }
.panel .tabs button:hover { color: var(--text); background: var(--hover); }
.panel .tabs button[aria-selected="true"] { color: var(--text); font-weight: 600; box-shadow: inset 0 -2px 0 var(--accent); }
.panel .body { height: var(--part-height, 360px); overflow: hidden auto; overscroll-behavior: contain; min-width: 0; }
.panel .part { min-width: 0; }
.panel .part[hidden] { display: none; }
.panel .said { white-space: pre-wrap; overflow-wrap: anywhere; padding: 9px 12px; color: var(--dim); }
.panel .said:has(+ :not(:empty)) { display: none; }
.panel .said.bad { color: var(--bad); }
.panel .said button { margin-left: 8px; }
.panel .asks { padding: 5px 12px; display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: baseline;
  background: color-mix(in srgb, #e08600 13%, var(--back)); border-bottom: 1px solid var(--line); }
.panel .asks[hidden] { display: none; }
.panel .grip { height: 7px; cursor: ns-resize; background: var(--raised); border-top: 1px solid var(--line); touch-action: none; }
.panel .grip:hover { background: color-mix(in srgb, var(--accent) 35%, var(--raised)); }
.panel .grip:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
`;
