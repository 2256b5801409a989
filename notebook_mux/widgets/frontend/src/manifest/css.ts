/** How the YAML looks. */

export const MANIFEST_CSS = `
.root { border: 0; border-radius: 0; display: flex; flex-direction: column; height: var(--part-height, 360px); min-height: 120px; }
.root:focus-within { border: 0; }
.note { padding: 5px 12px; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; display: flex; flex-wrap: wrap; gap: 4px 10px;
  align-items: baseline; }
.note[hidden] { display: none; }
.note.bad { background: color-mix(in srgb, #e5342e 13%, var(--back)); }
.note.warn { background: color-mix(in srgb, #e08600 13%, var(--back)); }
.bar { flex: none; }
.text { flex: 1; min-height: 0; border: 2px solid transparent; }
.text:focus-within { border-color: var(--accent); }
.frozen .text { filter: grayscale(1); }
.cm-editor { height: 100%; }
`;
