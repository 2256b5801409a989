// AG Grid and nothing around it, as somebody would write it in an afternoon: the peer of the table's benchmark.
import {
  ClientSideRowModelApiModule, ClientSideRowModelModule, createGrid, ModuleRegistry, QuickFilterModule, RowApiModule,
  RowSelectionModule, themeQuartz,
} from "ag-grid-community";

ModuleRegistry.registerModules([
  ClientSideRowModelApiModule, ClientSideRowModelModule, QuickFilterModule, RowApiModule, RowSelectionModule,
]);

const decoder = new TextDecoder();
/** Places in a row: uid, namespace, then the server's cells. */
const SHOWN = { Namespace: 1, Name: 2, Ready: 3, Status: 4, Restarts: 5, Age: 6 };

function render({ model, el }) {
  const filter = Object.assign(document.createElement("input"), { type: "search" });
  const host = Object.assign(document.createElement("div"), { className: "host" });
  const foot = Object.assign(document.createElement("div"), { className: "foot" });
  host.style.height = "400px";
  el.append(filter, host, foot);
  const known = new Set();
  const api = createGrid(host, {
    theme: themeQuartz,
    columnDefs: Object.entries(SHOWN).map(([title, place]) => ({
      colId: title,
      headerName: title,
      valueGetter: ({ data }) => data?.[place],
      sort: title === "Restarts" ? "desc" : null,
    })),
    getRowId: ({ data }) => data[0],
    rowHeight: 24,
    deltaSort: true,
    animateRows: false,
    cacheQuickFilter: true,
    rowSelection: { mode: "multiRow", checkboxes: false, headerCheckbox: false, enableClickSelection: true },
    onSelectionChanged: ({ api, source }) => {
      if (source === "rowClicked") model.send({ t: "select", rows: api.getSelectedRows().map(([uid]) => uid) });
    },
    onModelUpdated: ({ api }) => {
      const [shown, all] = [api.getDisplayedRowCount(), known.size];
      foot.textContent = shown === all ? `${all} rows` : `${shown} of ${all} rows`;
    },
  });
  filter.addEventListener("input", () => api.setGridOption("quickFilterText", filter.value));
  const take = (_content, [buffer]) => {
    const add = [];
    const update = [];
    for (const row of JSON.parse(decoder.decode(buffer))) {
      (known.has(row[0]) ? update : add).push(row);
      known.add(row[0]);
    }
    api.applyTransaction({ add, update });
  };
  model.on("msg:custom", take);
  model.send({ t: "here" });
  return () => {
    model.off("msg:custom", take);
    model.send({ t: "bye" });
    api.destroy();
  };
}

export default { render };
