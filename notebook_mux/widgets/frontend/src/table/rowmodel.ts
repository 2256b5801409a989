/**
 * The grid's row model: so many rows, each of which is only its place. What is shown there is asked of the view when it
 * is drawn, so the grid holds nothing for rows that are not on the screen, and rows that move move nothing in it.
 *
 * The grid has models for rows of its own, which sort and filter all of them at each change, and for rows that come in
 * blocks, which draws each twice. This is its interface for a model, in the place of the latter.
 */

import { BeanStub, type GridOptions, type IRowModel, type Module, RowNode } from "ag-grid-community";

/** A row of the grid. */
export interface Place {
  readonly place: number;
}

/** Rows whose nodes are kept: far more than a screen has. */
const KEPT = 1000;
/** How far around the screen nodes are kept when there are more. */
const AROUND = 200;

/** What a grid is given as its context, to get at its model. */
export interface Context {
  model?: PlaceModel;
  rowHeight: number;
}

export class PlaceModel extends BeanStub implements IRowModel {
  readonly beanName = "rowModel" as const;
  readonly hierarchical = false;
  rootNode: RowNode | null = null;
  #nodes = new Map<number, RowNode>();
  #count = 0;
  #height = 0;

  postConstruct(): void {
    const context = this.gos.get("context") as Context;
    context.model = this;
    this.#height = context.rowHeight;
    this.rootNode = new RowNode(this.beans);
    this.rootNode.level = -1;
  }

  override destroy(): void {
    super.destroy();
    this.#nodes.clear();
    this.rootNode = null;
  }

  /** There are so many rows now; those on the screen stay. */
  resize(count: number): void {
    if (count === this.#count) return;
    this.#count = count;
    for (const place of this.#nodes.keys()) if (place >= count) this.#nodes.delete(place);
    this.#tell();
  }

  /** Let the next Tab, that is being pressed, leave the grid. */
  leave(backwards: boolean): void {
    this.beans.ctrlsSvc.get("gridCtrl").forceFocusOutOfContainer(backwards);
  }

  /** Move the grid's focus to a place without scrolling there; it is drawn where it is not on the screen. */
  focus(place: number, column: string): void {
    const { focusSvc, rowRenderer } = this.beans;
    const where = { rowIndex: place, rowPinned: null, column, forceBrowserFocus: true, preventScrollOnBrowserFocus: true };
    focusSvc.setFocusedCell(where);
    if (rowRenderer.getRowByPosition({ rowIndex: place, rowPinned: null }) !== null) return;
    this.#tell();
    focusSvc.setFocusedCell(where);
  }

  start(): void {
    this.eventSvc.dispatchEventOnce({ type: "rowCountReady" });
    this.#tell();
  }

  getRow(index: number): RowNode | undefined {
    if (index < 0 || index >= this.#count) return undefined;
    let node = this.#nodes.get(index);
    if (node === undefined) {
      if (this.#nodes.size >= KEPT) this.#forget(index);
      node = new RowNode(this.beans);
      node.uiLevel = 0;
      node.setRowHeight(this.#height);
      node.setRowIndex(index);
      node.setRowTop(index * this.#height);
      const data: Place = { place: index };
      node.setDataAndId(data, String(index));
      this.#nodes.set(index, node);
    }
    return node;
  }

  getRowNode(id: string): RowNode | undefined {
    return this.#nodes.get(Number(id));
  }

  getRowCount(): number {
    return this.#count;
  }

  getTopLevelRowCount(): number {
    return this.#count;
  }

  getTopLevelRowDisplayedIndex(index: number): number {
    return index;
  }

  getRowIndexAtPixel(pixel: number): number {
    return Math.max(0, Math.min(this.#count - 1, Math.floor(pixel / this.#height)));
  }

  isRowPresent(node: RowNode): boolean {
    return node.rowIndex !== null && this.#nodes.get(node.rowIndex) === node;
  }

  getRowBounds(index: number): { rowTop: number; rowHeight: number } {
    return { rowTop: index * this.#height, rowHeight: this.#height };
  }

  isEmpty(): boolean {
    return false;
  }

  isRowsToRender(): boolean {
    return this.#count > 0;
  }

  getOverlayType(): null {
    return null;
  }

  getNodesInRangeForSelection(): RowNode[] {
    return [];
  }

  forEachNode(callback: (node: RowNode, index: number) => void): void {
    for (const [place, node] of this.#nodes) callback(node, place);
  }

  getType(): "infinite" {
    return "infinite";
  }

  isLastRowIndexKnown(): boolean {
    return true;
  }

  ensureRowHeightsValid(): boolean {
    return false;
  }

  resetRowHeights(): void {}

  onRowHeightChanged(): void {}

  /** Let go of nodes that are far from here and not drawn. */
  #forget(index: number): void {
    for (const [place] of this.#nodes) {
      const drawn = this.beans.rowRenderer.getRowByPosition({ rowIndex: place, rowPinned: null }) !== null;
      if (Math.abs(place - index) > AROUND && !drawn) this.#nodes.delete(place);
    }
  }

  #tell(): void {
    this.eventSvc.dispatchEvent({
      type: "modelUpdated",
      newPage: false,
      newPageSize: false,
      newData: false,
      keepRenderedRows: true,
      animate: false,
    });
  }
}

/** The grid asks for this name by its option. */
export const PLACES: Pick<GridOptions, "rowModelType"> = { rowModelType: "infinite" };

/** @param version The grid's: it takes no modules of another. */
export function placeModule(version: string): Module {
  return { moduleName: "InfiniteRowModel", version, rowModels: ["infinite"], beans: [PlaceModel] };
}
