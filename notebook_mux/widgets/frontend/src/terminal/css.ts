/** A terminal's rules, beside xterm.js's own. */

import xterm from "@xterm/xterm/css/xterm.css";

export const CSS = `${xterm}
.root { position: relative; display: flex; flex-direction: column; }
.root:focus-within { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.root:fullscreen { border: 0; border-radius: 0; box-shadow: none; }
.root:fullscreen .frame { flex: 1; height: auto !important; }
.root:fullscreen .grip { display: none; }
.bar { gap: 3px 8px; }
.bar select { font: inherit; color: var(--text); background: var(--back); border: 1px solid var(--line);
  border-radius: 3px; height: 22px; max-width: 16em; }
.bar select:focus-visible { outline: 2px solid var(--accent); outline-offset: -1px; }
.bar .badge { border: 1px solid var(--line); border-radius: 9px; padding: 0 7px; font-size: 85%; color: var(--dim);
  white-space: nowrap; }
.bar .badge[hidden], .bar select[hidden] { display: none; }
.bar .size { font-variant-numeric: tabular-nums; font-size: 90%; white-space: nowrap; }
.icon { padding: 0 4px; line-height: 1; border-color: transparent; background: transparent; color: var(--dim); }
.icon:hover { color: var(--text); }
.icon svg { display: block; fill: none; stroke: currentColor; stroke-width: 1.4; stroke-linecap: round;
  stroke-linejoin: round; }
.xterm .xterm-viewport, .xterm .xterm-scrollable-element { background-color: transparent !important; }
.frame { position: relative; overflow: hidden; background: var(--back); min-height: 60px; }
.frame.away .xterm-rows, .frame.away .xterm-cursor-layer { opacity: .6; }
.screen { position: absolute; inset: 4px 2px 4px 8px; background: var(--back); outline: 0 solid var(--accent); }
.screen .xterm { height: 100%; }
/* xterm.js takes the wrong colour for the text of inverse cells where it raises contrasts, and makes it grey */
.xterm-rows .xterm-bg-257:not([class*="xterm-fg-"]) { color: var(--back) !important; }
.screen.limited .xterm-screen { box-shadow: 1px 1px 0 0 var(--line); }
.grip { height: 7px; cursor: ns-resize; background: var(--raised); border-top: 1px solid var(--line); touch-action: none; }
.grip:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.finder { align-items: center; background: var(--raised); }
.finder input { min-width: 12em; }
.finder input[aria-invalid="true"] { border-color: var(--bad); }
.line button { flex: none; }
.veil { position: absolute; inset: 0; z-index: 20; display: flex; align-items: center; justify-content: center;
  background: color-mix(in srgb, var(--back) 70%, transparent); }
.question { background: var(--back); border: 1px solid var(--line); border-radius: 5px; padding: 12px 14px;
  max-width: min(90%, 640px); max-height: 92%; box-sizing: border-box; box-shadow: 0 4px 18px rgba(0, 0, 0, .3);
  display: flex; flex-direction: column; gap: 8px; overflow: auto; }
.question .heading { font-weight: 600; }
.question .shown { margin: 0; padding: 6px 8px; background: var(--raised); border: 1px solid var(--line); font-family: var(--mono);
  overflow: auto; max-height: 12em; min-height: 1.4em; white-space: pre-wrap; overflow-wrap: anywhere; }
.question .answers { display: flex; gap: 8px; flex-wrap: wrap; }
.question .yes { background: var(--fill); border-color: var(--fill); color: var(--on-fill); }
.menu { position: absolute; z-index: 15; background: var(--back); border: 1px solid var(--line); border-radius: 4px;
  box-shadow: 0 3px 12px rgba(0, 0, 0, .3); padding: 3px 0; display: flex; flex-direction: column; min-width: 12em; }
.menu button { border: 0; border-radius: 0; text-align: left; height: 26px; padding: 0 12px; background: transparent; }
.menu button:hover, .menu button:focus-visible { background: var(--hover); }
.menu button:disabled { color: var(--dim); cursor: default; }
`;
