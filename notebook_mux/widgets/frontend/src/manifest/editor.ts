/** CodeMirror with what YAML needs, in JupyterLab's colours, within a shadow root. */

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { codeFolding, foldedRanges, foldEffect, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting, unfoldEffect } from "@codemirror/language";
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap, searchPanelOpen } from "@codemirror/search";
import { Compartment, EditorState, Transaction } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

import { difference, managedFields, type Range } from "./text";

const colors = HighlightStyle.define([
  { tag: tags.definition(tags.propertyName), color: "var(--yaml-key)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--yaml-string)" },
  { tag: tags.comment, color: "var(--dim)", fontStyle: "italic" },
  { tag: [tags.keyword, tags.labelName, tags.typeName, tags.meta], color: "var(--yaml-word)" },
  { tag: [tags.separator, tags.punctuation, tags.bracket], color: "var(--dim)" },
]);

/** The theme's variables reach into the shadow root; where there are none, colours that are readable on both grounds. */
const theme = EditorView.theme({
  "&": {
    "--yaml-key": "color-mix(in srgb, #0a63c9 50%, var(--text))",
    "--yaml-string": "color-mix(in srgb, #b3261e 50%, var(--text))",
    "--yaml-word": "color-mix(in srgb, #7b3fc4 50%, var(--text))",
    color: "var(--text)",
    backgroundColor: "var(--back)",
    fontSize: "var(--jp-code-font-size, 12.5px)",
  },
  "&.cm-focused": { outline: "0" }, // it is around all of it, below
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.45", overflow: "auto" },
  ".cm-content": { caretColor: "var(--text)", padding: "6px 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--back)", color: "var(--dim)", border: "0" },
  ".cm-foldGutter span": { cursor: "pointer", padding: "0 3px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 30%, transparent)",
  },
  ".cm-foldPlaceholder": {
    backgroundColor: "color-mix(in srgb, var(--text) 8%, transparent)",
    color: "var(--text)",
    border: "1px solid var(--line)",
    borderRadius: "3px",
    padding: "0 5px",
    margin: "0 4px",
  },
  ".cm-selectionMatch": { backgroundColor: "color-mix(in srgb, #e0a000 22%, transparent)" },
  ".cm-searchMatch": { backgroundColor: "color-mix(in srgb, #e0a000 35%, transparent)", outline: "1px solid color-mix(in srgb, #e0a000 70%, transparent)" },
  ".cm-searchMatch-selected": { backgroundColor: "color-mix(in srgb, #e0700a 55%, transparent)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)" },
  ".cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panel.cm-search": { fontFamily: "var(--font)", fontSize: "var(--size)", padding: "4px 28px 4px 8px", display: "flex", flexWrap: "wrap", gap: "4px 6px", alignItems: "center" },
  ".cm-panel.cm-search br": { display: "none" },
  ".cm-panel.cm-search input, .cm-panel.cm-search button, .cm-panel.cm-search label": { margin: "0", fontSize: "inherit" },
  ".cm-panel.cm-search label": { display: "inline-flex", alignItems: "center", gap: "3px" },
  ".cm-textfield": { backgroundColor: "var(--back)", color: "var(--text)", border: "1px solid var(--line)", borderRadius: "3px", height: "22px", boxSizing: "border-box" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--back)", color: "var(--text)", border: "1px solid var(--line)", borderRadius: "3px", height: "22px", padding: "0 7px" },
  ".cm-panel.cm-search [name=close]": { position: "absolute", top: "4px", right: "6px", color: "var(--text)", border: "0", fontSize: "120%", height: "20px" },
});

export class Editor {
  readonly view: EditorView;
  #mode = new Compartment();
  #editing = false;

  /**
   * @param into - Where it stands.
   * @param root - The shadow root that is in.
   * @param changed - Called when its user has changed the text.
   * @param saved - Called when its user would save it.
   */
  constructor(into: HTMLElement, root: ShadowRoot, label: string, changed: () => void, saved: () => void) {
    this.view = new EditorView({
      parent: into,
      root,
      state: EditorState.create({
        extensions: [
          // before the search's and the notebook's own
          keymap.of([{ key: "Mod-s", preventDefault: true, run: () => this.#editing && (saved(), true) }]),
          lineNumbers(),
          highlightSpecialChars(), // what can turn the direction of writing is seen
          foldGutter({ openText: "▾", closedText: "▸" }),
          codeFolding(),
          yaml(),
          indentUnit.of("  "),
          syntaxHighlighting(colors),
          drawSelection(),
          highlightActiveLine(),
          highlightSelectionMatches(),
          search({ top: true }),
          indentOnInput(),
          history(),
          keymap.of([...searchKeymap, ...foldKeymap, ...historyKeymap, ...defaultKeymap]),
          EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && this.#editing && !update.transactions.every((one) => one.annotation(Transaction.remote))) changed();
          }),
          theme,
          this.#mode.of(EditorState.readOnly.of(true)),
        ],
      }),
    });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  /** Whether somebody is in the text: it should not move under them. */
  get used(): boolean {
    return this.view.hasFocus || searchPanelOpen(this.view.state) || !this.view.state.selection.main.empty;
  }

  get editing(): boolean {
    return this.#editing;
  }

  /** Let the text be changed by hand, or no more. */
  edit(on: boolean): void {
    this.#editing = on;
    this.view.dispatch({ effects: this.#mode.reconfigure(EditorState.readOnly.of(!on)) });
    if (on) this.view.focus();
  }

  /** Put this in place of all there is, as its user's own doing: it can be undone. */
  replace(text: string): void {
    const change = difference(this.text, text);
    if (change !== undefined) this.view.dispatch({ changes: change });
  }

  /** Show another version: what is the same stays where it is, folded or not. */
  show(text: string): void {
    const change = difference(this.text, text);
    if (change === undefined) return;
    const fold = this.text === "" || this.managedFolded;
    this.view.dispatch({ changes: change, annotations: [Transaction.addToHistory.of(false), Transaction.remote.of(true)] });
    if (fold) this.#foldManaged();
  }

  /** Whether the managed fields are folded away. */
  get managedFolded(): boolean {
    const range = managedFields(this.text);
    return range !== undefined && this.#foldsAt(range.from).length > 0;
  }

  #foldsAt(place: number): Range[] {
    const found: Range[] = [];
    foldedRanges(this.view.state).between(place, place, (from, to) => {
      if (from === place) found.push({ from, to });
    });
    return found;
  }

  #foldManaged(): void {
    const range = managedFields(this.text);
    if (range === undefined) return;
    // one that was there ends where the text of before ended
    const effects = this.#foldsAt(range.from).map((one) => unfoldEffect.of(one));
    this.view.dispatch({ effects: [...effects, foldEffect.of(range)] });
  }

  search(): void {
    openSearchPanel(this.view);
  }

  dispose(): void {
    this.view.destroy();
  }
}
