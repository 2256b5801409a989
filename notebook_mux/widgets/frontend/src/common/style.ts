/** JupyterLab's theme as the widgets use it. The variables are inherited into shadow roots and follow the theme live. */

/**
 * Text in each of these colours is at least 4.5:1 (WCAG 2.2, 1.4.3) on each of these backgrounds, in JupyterLab's light,
 * dark and high-contrast themes: the shares are the largest for which that holds, and `tests/browser` measures it.
 */
export const COLORS = `
:host {
  --back: var(--jp-layout-color1, var(--vscode-editor-background, #fff));
  --raised: color-mix(in srgb, var(--jp-layout-color2, var(--vscode-sideBar-background, #f5f5f5)) 50%, var(--back));
  --text: var(--jp-ui-font-color1, var(--vscode-foreground, rgba(0, 0, 0, .87)));
  --dim: color-mix(in srgb, var(--text) 72%, var(--back));
  --line: var(--jp-border-color2, var(--vscode-panel-border, #e0e0e0));
  --edge: color-mix(in srgb, var(--text) 50%, transparent);
  --accent: var(--jp-brand-color1, var(--vscode-focusBorder, #1976d2));
  --accent-text: color-mix(in srgb, var(--accent) 66%, var(--text));
  --link: var(--accent-text);
  --fill: color-mix(in srgb, var(--accent) 76%, #000);
  --on-fill: #fff;
  --hover: color-mix(in srgb, var(--text) 5%, transparent);
  --picked: color-mix(in srgb, var(--accent) 15%, transparent);
  --font: var(--jp-ui-font-family, var(--vscode-font-family, system-ui, sans-serif));
  --mono: var(--jp-code-font-family, var(--vscode-editor-font-family, monospace));
  --size: var(--jp-ui-font-size1, 13px);
  --good: color-mix(in srgb, #12a150 62%, var(--text));
  --warn: color-mix(in srgb, #d98200 58%, var(--text));
  --bad: color-mix(in srgb, #ff5a50 58%, var(--text));
  --done: var(--dim);
  display: block;
  container-type: inline-size;
  scrollbar-color: color-mix(in srgb, var(--text) 45%, transparent) transparent;
  color: var(--text);
  font-family: var(--font);
  font-size: var(--size);
}
:host([data-part]) .freeze { display: none; }
:host([data-part]) .root.root { border: 0; border-radius: 0; }
:host([data-part]) .root:has(> .frame) { display: flex; flex-direction: column; height: var(--part-height, auto); }
:host([data-part]) .root:not(:fullscreen) > .frame { flex: 1; min-height: 60px; height: auto !important; }
:host([data-part]) .root > .grip { display: none; }
.root { background: var(--back); border: 1px solid var(--line); border-radius: 4px; overflow: hidden; outline: none; }
.root:focus-within { border-color: color-mix(in srgb, var(--accent) 55%, var(--line)); }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; padding: 4px 8px; background: var(--raised);
  border-bottom: 1px solid var(--line); min-height: 24px; }
.bar .title { font-weight: 600; }
.bar .push { flex: 1; }
.dim { color: var(--dim); }
button, input[type="search"], input[type="text"] { font: inherit; color: var(--text); background: var(--back); border: 1px solid var(--line);
  border-radius: 3px; height: 22px; padding: 0 7px; box-sizing: border-box; }
button { cursor: pointer; }
button:hover { background: var(--hover); }
button[aria-pressed="true"] { border-color: var(--accent); color: var(--accent-text); }
button:disabled { color: var(--dim); cursor: default; }
input[type="search"], input[type="text"], select { border-color: var(--edge); }
button:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: -1px; }
.icon { padding: 0 4px; line-height: 1; border-color: transparent; background: transparent; color: var(--dim); }
.icon:hover { color: var(--text); }
.icon[aria-pressed="true"], .icon[aria-expanded="true"] { color: var(--accent-text); border-color: var(--accent); }
.icon svg { display: block; fill: none; stroke: currentColor; stroke-width: 1.4; stroke-linecap: round; stroke-linejoin: round; }
input[type="search"] { width: 190px; }
.chip { display: inline-flex; align-items: baseline; gap: 5px; white-space: nowrap; }
.dot::before { content: "●"; font-size: 75%; color: var(--dim); }
.dot[data-tone="good"]::before { color: var(--good); }
.dot[data-tone="warn"]::before { content: "▲"; color: var(--warn); }
.dot[data-tone="bad"]::before { content: "■"; color: var(--bad); }
.line { padding: 3px 8px; border-bottom: 1px solid var(--line); display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap; }
.line[hidden] { display: none; }
.line.trouble { flex-wrap: nowrap; }
.line.trouble > span { flex: 1; overflow-wrap: anywhere; }
.line.trouble > strong, .line.trouble > button { flex: none; }
.line .icon { height: 18px; align-self: center; }
.line.warn { background: color-mix(in srgb, #e08600 12%, var(--back)); }
.line.bad { background: color-mix(in srgb, #e5342e 12%, var(--back)); }
.foot { display: flex; gap: 14px; padding: 2px 8px; color: var(--dim); font-size: 90%; border-top: 1px solid var(--line);
  font-variant-numeric: tabular-nums; white-space: nowrap; overflow: hidden; }
.foot .push { flex: 1; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scrolled { overflow-x: auto; }
.scrolled:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
@container (max-width: 480px) {
  .line.trouble { flex-wrap: wrap; }
  .foot { flex-wrap: wrap; white-space: normal; gap: 0 12px; }
}
@media (forced-colors: active) {
  .root { border-color: CanvasText; }
  .icon, .picker { border-color: ButtonBorder; }
  .icon svg { stroke: ButtonText; }
  button[aria-pressed="true"], button[aria-expanded="true"], [role="tab"][aria-selected="true"] { forced-color-adjust: none; color: HighlightText !important;
    background: Highlight !important; border-color: Highlight; }
  button[aria-pressed="true"] *, button[aria-expanded="true"] * { color: inherit !important; }
  button[aria-pressed="true"] svg, button[aria-expanded="true"] svg { stroke: HighlightText; }
  :focus-visible { outline: 2px solid Highlight; }
  svg text { fill: CanvasText; }
}
@media (prefers-reduced-motion: reduce) { *, *::before, *::after { transition: none !important; animation: none !important; } }
`;

/** A shadow root with the theme's colours and these rules in it. */
export function shadow(el: HTMLElement, css: string): ShadowRoot {
  const host = document.createElement("div");
  // or typing `dd` deletes the cell and `00` asks to restart the kernel
  host.setAttribute("data-lm-suppress-shortcuts", "true");
  const root = host.attachShadow({ mode: "open" });
  const style = document.createElement("style");
  style.textContent = COLORS + css;
  root.append(style);
  el.append(host);
  return root;
}
