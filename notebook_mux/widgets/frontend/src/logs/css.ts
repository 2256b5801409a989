/** The rules of the view. */

import { paletteRules } from "./colors";

export const CSS = `
${paletteRules()}
.root { position: relative; display: flex; flex-direction: column; --bar: color-mix(in srgb, var(--text) 24%, var(--back)); }
.root:focus-within { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.bar { gap: 3px 6px; }
select { font: inherit; color: var(--text); background: var(--back); border: 1px solid var(--line); border-radius: 3px;
  height: 22px; }
select:focus-visible { outline: 2px solid var(--accent); outline-offset: -1px; }
.states { border-color: transparent; background: transparent; display: inline-flex; gap: 10px; align-items: center; }
.icon { padding: 0 4px; line-height: 1; border-color: transparent; background: transparent; color: var(--dim); }
.icon:hover { color: var(--text); }
.icon[aria-pressed="true"] { color: var(--accent); border-color: var(--accent); }
.icon svg { display: block; fill: none; stroke: currentColor; stroke-width: 1.4; stroke-linecap: round; stroke-linejoin: round; }
.bar > * { flex: none; max-width: 100%; }
.bar .push { flex: 1; }
.tools-of { display: inline-flex; flex-wrap: wrap; row-gap: 2px; align-items: center; margin-left: auto; }
.tools-of select { margin: 0 3px; width: 92px; }
.tools-of .levels { margin-right: 4px; }
.line .push { flex: 1; }
.levels { display: inline-flex; align-items: center; }
.level { border-radius: 0; margin-left: -1px; padding: 0 5px; display: inline-flex; gap: 4px; align-items: center;
  font-variant-numeric: tabular-nums; }
.level:first-child { border-radius: 3px 0 0 3px; margin: 0; }
.level:last-child { border-radius: 0 3px 3px 0; }
.level .many { min-width: 1.9em; text-align: right; font-size: 90%; }
.level[aria-pressed="true"] { border-color: var(--line); color: var(--text); }
.level[aria-pressed="false"] { opacity: .5; text-decoration: line-through; }
.level[data-level="5"] b { color: var(--l5); } .level[data-level="4"] b { color: var(--l4); }
.level[data-level="3"] b { color: var(--l3); } .level[data-level="1"] b, .level[data-level="0"] b { color: var(--dim); }
.line.finder, .line.filters { align-items: center; gap: 5px; background: var(--raised); }
.line input[type="search"] { width: 210px; }
input[aria-invalid="true"] { border-color: var(--bad); outline-color: var(--bad); }
.field-of { position: relative; display: inline-block; }
.wrong { color: var(--bad); }
.field-of .wrong { position: absolute; top: 100%; left: 0; z-index: 12; margin-top: 2px; padding: 3px 7px; background: var(--back);
  border: 1px solid var(--bad); border-radius: 3px; box-shadow: 0 2px 8px rgba(0, 0, 0, .25); white-space: nowrap; }
.field-of .wrong[hidden] { display: none; }
.wrong code { font-family: var(--mono); color: var(--text); white-space: pre; margin-right: 9px; }
.wrong code b { color: var(--bad); text-decoration: underline wavy; text-underline-offset: 3px; background: color-mix(in srgb, var(--bad) 18%, transparent); }
.found-of { line-height: 22px; font-variant-numeric: tabular-nums; }
.minimap { display: flex; align-items: flex-end; gap: 7px; padding: 3px 8px 2px; border-bottom: 1px solid var(--line);
  height: 33px; box-sizing: content-box; }
.minimap .edge { color: var(--dim); font-size: 82%; font-variant-numeric: tabular-nums; white-space: nowrap; min-width: 4.6em; }
.minimap .edge:last-child { text-align: right; }
.minimap .field { position: relative; flex: 1; height: 30px; min-width: 0; }
.minimap canvas { width: 100%; height: 30px; display: block; cursor: pointer; }
.minimap .window { position: absolute; top: -2px; bottom: -1px; border: 1px solid var(--accent); border-radius: 2px; pointer-events: none;
  background: color-mix(in srgb, var(--accent) 14%, transparent); box-sizing: border-box; }
.minimap .window[hidden] { display: none; }
.frame { position: relative; display: flex; min-height: 80px; overflow: hidden; }
.list { flex: 1; min-width: 0; position: relative; overflow-x: scroll; overflow-y: scroll; overflow-anchor: none; scrollbar-width: thin;
  font-family: var(--mono); font-size: var(--jp-code-font-size, 12.5px); line-height: 18px; outline: none; contain: strict;
  tab-size: 8; scrollbar-color: color-mix(in srgb, var(--text) 35%, transparent) transparent; }
.list:focus-visible { box-shadow: inset 0 0 0 1px var(--accent); }
.wrapped .list { overflow-x: hidden; }
.space { position: relative; min-width: 100%; }
.top { position: sticky; left: 0; height: 26px; line-height: 26px; padding: 0 10px; box-sizing: border-box; color: var(--dim);
  font-family: var(--font); font-size: 90%; width: 100%; overflow: hidden; white-space: nowrap; }
.layer { position: absolute; top: 0; left: 0; width: 100%; }
.wrapped .layer { min-width: 0 !important; }
.row { display: flex; white-space: pre; padding-right: 10px; box-shadow: inset 3px 0 0 transparent; padding-left: 7px; }
.probe { position: absolute; visibility: hidden; pointer-events: none; top: 0; }
.row > * { flex: none; }
.lv { width: 2ch; font-weight: 700; color: var(--l3); user-select: none; }
.at { width: var(--at, 13ch); color: var(--dim); font-variant-numeric: tabular-nums; overflow: hidden; }
.who { width: var(--who, 0ch); overflow: hidden; text-overflow: ellipsis; padding-right: 1ch; box-sizing: border-box; }
.text { unicode-bidi: isolate; direction: ltr; min-width: 0; }
.wrapped .row > .text, .row.open > .text { white-space: pre-wrap; word-break: break-all; flex: 0 1 auto; }
.row.open { width: var(--view); box-sizing: border-box; }
.row[data-level="1"], .row[data-level="2"] { color: var(--dim); }
.row[data-level="1"] .lv, .row[data-level="2"] .lv { color: var(--dim); }
.row[data-level="4"] .lv { color: var(--l4); } .row[data-level="5"] .lv { color: var(--l5); } .row[data-level="6"] .lv { color: var(--l6); }
.row[data-level="4"] { box-shadow: inset 3px 0 0 var(--l4); background-color: color-mix(in srgb, var(--l4) 7%, transparent); }
.row[data-level="5"] { box-shadow: inset 3px 0 0 var(--l5); background-color: color-mix(in srgb, var(--l5) 9%, transparent); }
.row[data-level="6"] { box-shadow: inset 3px 0 0 var(--l6); background-color: color-mix(in srgb, var(--l6) 14%, transparent); }
.row.cont .at { visibility: hidden; }
.row:hover { background-color: color-mix(in srgb, var(--text) 7%, transparent); }
.row.current { background-color: color-mix(in srgb, var(--accent) 17%, transparent); }
.row.break { background-image: repeating-linear-gradient(90deg, var(--dim) 0 5px, transparent 5px 10px); background-size: 100% 1px;
  background-repeat: no-repeat; }
.fold, .more { font: inherit; font-size: 88%; height: auto; line-height: 1.3; padding: 0 4px; margin: 0 5px 0 -3px; border: 0; border-radius: 3px;
  background: transparent; color: var(--dim); align-self: flex-start; }
.fold[hidden], .more[hidden] { display: none; }
.fold:hover, .more:hover { color: var(--text); }
.more { margin: 0 0 0 6px; border: 1px solid var(--line); }
.mark { color: var(--dim); }
.row.mark { position: sticky; left: 0; width: var(--view); box-sizing: border-box; font-family: var(--font); align-items: center; }
.row.mark .text { display: flex; flex: 1 1 0; align-items: center; gap: 1ch; min-width: 0; }
.row.mark .words { flex: 0 1 auto; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.wrapped .row.mark .words, .row.mark.open .words { white-space: normal; text-align: center; }
.row.mark .text::before, .row.mark .text::after { content: ""; flex: 1 1 12px; min-width: 12px; border-top: 1px solid var(--line); }
.row.mark .who, .row.mark .lv { display: none; }
.row.mark .at { font-family: var(--mono); margin-left: 2ch; }
.row.mark[data-tone="warn"] { color: var(--l4); } .row.mark[data-tone="bad"] { color: var(--l5); }
.row.mark[data-tone="warn"] .text::before, .row.mark[data-tone="warn"] .text::after { border-color: var(--l4); }
.row.mark[data-tone="bad"] .text::before, .row.mark[data-tone="bad"] .text::after { border-color: var(--l5); }
.esc { color: var(--l4); opacity: .85; font-size: 88%; border: 1px solid color-mix(in srgb, var(--l4) 40%, transparent); border-radius: 2px; }
.j-key { color: var(--dim); } .j-value { color: inherit; } .j-string { color: var(--s1); } .j-number { color: var(--s0); } .j-word { color: var(--s2); }
.j-punctuation { color: var(--dim); }
mark { color: #1f2328; background: #ffd866; border-radius: 2px; }
mark.hl { background: #9fe6ff; }
.row.current mark.hit { background: #ff9f43; }
.pill { position: absolute; bottom: 22px; left: 50%; transform: translateX(-50%); z-index: 10; display: flex; gap: 9px; align-items: center;
  height: 28px; padding: 0 5px 0 12px; border-radius: 15px; background: var(--back); border: 1px solid var(--accent);
  box-shadow: 0 2px 10px rgba(0, 0, 0, .28); white-space: nowrap; font-variant-numeric: tabular-nums; }
.pill[hidden], .empty[hidden], .sources[hidden], .minimap[hidden] { display: none; }
.pill button { border-radius: 11px; background: var(--fill); border-color: var(--fill); color: var(--on-fill); }
.empty { position: absolute; inset: 26px 0 20px; display: flex; align-items: center; justify-content: center; color: var(--dim); pointer-events: none; }
.sources { flex: none; width: 280px; max-width: 45%; border-left: 1px solid var(--line); display: flex; flex-direction: column; overflow: hidden; }
.sources .tools { display: flex; gap: 5px; padding: 5px 8px; border-bottom: 1px solid var(--line); }
.sources .tools input { flex: 1; min-width: 0; width: auto; }
.sources .all { overflow-y: auto; flex: 1; padding: 4px 0; scrollbar-width: thin; }
.entry { padding: 2px 8px; }
.entry[hidden] { display: none; }
.entry .one { display: flex; gap: 6px; align-items: center; }
.entry input { margin: 0; flex: none; }
.entry .name { flex: 1; min-width: 0; text-align: left; border: 0; background: transparent; padding: 0 2px; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; font-family: var(--mono); font-size: 92%; }
.entry .name:hover { text-decoration: underline; background: transparent; }
.entry .many { font-variant-numeric: tabular-nums; font-size: 90%; }
.entry .why { padding: 0 0 3px 41px; color: var(--dim); font-size: 88%; overflow-wrap: anywhere; }
.entry .why[hidden] { display: none; }
.entry.over .name { opacity: .7; }
.foot { font-size: 88%; }
.frozen .list { filter: saturate(.45); }
.frozen .minimap, .frozen .bar .levels { filter: grayscale(1); }
.grip { height: 7px; cursor: ns-resize; background: var(--raised); border-top: 1px solid var(--line); touch-action: none; }
.grip:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.menu { position: absolute; z-index: 15; background: var(--back); border: 1px solid var(--line); border-radius: 4px;
  box-shadow: 0 3px 12px rgba(0, 0, 0, .3); padding: 3px 0; display: flex; flex-direction: column; min-width: 12em; }
.menu button { border: 0; border-radius: 0; text-align: left; height: 26px; padding: 0 12px; background: transparent; }
.menu button:hover, .menu button:focus-visible { background: var(--hover); }
.menu button:disabled { color: var(--dim); cursor: default; }
`;
