/** JupyterLab's theme as the widgets use it. The variables are inherited into shadow roots and follow the theme live. */

export const COLORS = `
:host {
  --back: var(--jp-layout-color1, var(--vscode-editor-background, #fff));
  --raised: var(--jp-layout-color2, var(--vscode-sideBar-background, #f5f5f5));
  --text: var(--jp-ui-font-color1, var(--vscode-foreground, rgba(0, 0, 0, .87)));
  --dim: var(--jp-ui-font-color2, var(--vscode-descriptionForeground, rgba(0, 0, 0, .54)));
  --line: var(--jp-border-color2, var(--vscode-panel-border, #e0e0e0));
  --accent: var(--jp-brand-color1, var(--vscode-focusBorder, #1976d2));
  --hover: color-mix(in srgb, var(--text) 6%, transparent);
  --picked: color-mix(in srgb, var(--accent) 22%, transparent);
  --font: var(--jp-ui-font-family, var(--vscode-font-family, system-ui, sans-serif));
  --mono: var(--jp-code-font-family, var(--vscode-editor-font-family, monospace));
  --size: var(--jp-ui-font-size1, 13px);
  --good: color-mix(in srgb, #12a150 74%, var(--text));
  --warn: color-mix(in srgb, #e08600 74%, var(--text));
  --bad: color-mix(in srgb, #e5342e 78%, var(--text));
  --done: var(--dim);
  display: block;
  color: var(--text);
  font-family: var(--font);
  font-size: var(--size);
}
:host([data-part]) .freeze { display: none; }
.root { background: var(--back); border: 1px solid var(--line); border-radius: 4px; overflow: hidden; outline: none; }
.root:focus-within { border-color: color-mix(in srgb, var(--accent) 55%, var(--line)); }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; padding: 4px 8px; background: var(--raised);
  border-bottom: 1px solid var(--line); min-height: 24px; }
.bar .title { font-weight: 600; }
.bar .push { flex: 1; }
.dim { color: var(--dim); }
button, input[type="search"] { font: inherit; color: var(--text); background: var(--back); border: 1px solid var(--line);
  border-radius: 3px; height: 22px; padding: 0 7px; box-sizing: border-box; }
button { cursor: pointer; }
button:hover { background: var(--hover); }
button[aria-pressed="true"] { border-color: var(--accent); color: var(--accent); }
button:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: -1px; }
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
.line.warn { background: color-mix(in srgb, #e08600 13%, var(--back)); }
.line.bad { background: color-mix(in srgb, #e5342e 13%, var(--back)); }
.foot { display: flex; gap: 14px; padding: 2px 8px; color: var(--dim); font-size: 90%; border-top: 1px solid var(--line);
  font-variant-numeric: tabular-nums; white-space: nowrap; overflow: hidden; }
.foot .push { flex: 1; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; animation: none !important; } }
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
