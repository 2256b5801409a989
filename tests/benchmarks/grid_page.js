// What the table's benchmark asks of a page, by the page's own clock. A grid is found by its cell's number; whatever
// else is in the cell (ours has a shadow root, the peer has none) is passed over.
(() => {
  if (window.nmGrids) return;
  const LATE_MS = 60000;
  const CELLS = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell";
  let held = {};
  let wall = 0;

  const deep = (node, selector) => {
    const found = node.querySelector(selector);
    if (found !== null) return found;
    for (const one of node.querySelectorAll("*")) {
      const inner = one.shadowRoot === null ? null : deep(one.shadowRoot, selector);
      if (inner !== null) return inner;
    }
    return null;
  };
  const output = (index) => document.querySelectorAll(CELLS)[index].querySelector(".jp-Cell-outputArea");
  const kernel = () => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const frame = () => new Promise(requestAnimationFrame);
  /** Resolves when the frame that is being made has been drawn. */
  const drawn = () => new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(performance.now());
    port2.postMessage(0);
  });
  /** Rows that pass the filter, as the grid's foot has it. */
  const count = () => /([\d\s,.\u202f]+)(?: of [\d\s,.\u202f]+)? rows?/.exec(held.foot.textContent)?.[1] ?? "";
  const total = () => /([\d\s,.\u202f]+) rows?/.exec(held.foot?.textContent ?? "")?.[1].replace(/\D/g, "") ?? "";
  const rows = () => [...held.grid.querySelectorAll(".ag-row")]
    .sort((a, b) => a.getAttribute("row-index") - b.getAttribute("row-index"));
  const words = (row) => ["Name", "Restarts"].map((id) => row.querySelector(`[col-id="${id}"]`)?.textContent.trim().split(" ")[0]).join(" ");
  const hold = (index) => {
    const place = output(index);
    held = { grid: deep(place, ".ag-root-wrapper"), foot: deep(place, ".foot"), filter: deep(place, "input[type=search], input[aria-label='Filter rows']") };
    return held.grid !== null && held.foot !== null && total() !== "";
  };

  window.addEventListener("click", (event) => held.clicks?.push(wall + event.timeStamp), { capture: true });

  window.nmGrids = {
    hold, total,
    /** Run a cell: milliseconds until its first row was drawn, and until all were there. */
    async paint(index, wanted) {
      const { commands, shell } = window.jupyterapp;
      shell.currentWidget.content.activeCellIndex = index;
      const began = performance.now();
      void commands.execute("notebook:run-cell");
      let first = 0;
      for (;;) {
        await frame();
        if (performance.now() - began > 2 * LATE_MS) throw new Error(`no rows, but ${output(index).innerText}`);
        if (first === 0) {
          const row = deep(output(index), ".ag-row");
          if (row === null || row.textContent === "") continue;
          first = (await drawn()) - began;
        }
        if (hold(index) && total() === String(wanted)) return [first, (await drawn()) - began];
      }
    },
    clear(index) {
      window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
      return window.jupyterapp.commands.execute("notebook:clear-cell-output").then(() => null);
    },
    /** What an expression is in the kernel, beside all cells. */
    async ask(expression) {
      const asked = { code: "", silent: true, store_history: false, user_expressions: { it: `__import__('json').dumps(${expression})` } };
      const { it } = (await kernel().requestExecute(asked).done).content.user_expressions;
      if (it.status !== "ok") throw new Error(`${it.ename}: ${it.evalue}`);
      return it.data["text/plain"];
    },
    /** Milliseconds between frames, until `stop`. */
    record() {
      const gaps = [];
      let last = 0;
      let on = true;
      const look = (now) => {
        if (last > 0) gaps.push(now - last);
        last = now;
        if (on) requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
      held.stop = async () => {
        while (gaps.length === 0) await frame(); // on a machine that draws hardly any
        on = false;
        return gaps;
      };
    },
    stop: () => held.stop(),
    focusFilter() { held.filter.scrollIntoView({ block: "center" }); held.filter.focus(); },
    /** The next key: milliseconds from its event until the rows that pass are others, and drawn; null if never. */
    armKey() {
      const before = count();
      held.armed = new Promise((resolve) => {
        let key = 0;
        held.filter.addEventListener("keydown", (event) => { key = event.timeStamp; }, { capture: true, once: true });
        const armed = performance.now();
        const look = async () => {
          if (performance.now() - armed > LATE_MS) resolve(null);
          else if (key === 0 || count() === before) requestAnimationFrame(look);
          else resolve((await drawn()) - key);
        };
        requestAnimationFrame(look);
      });
    },
    armed: () => held.armed,
    typed: () => held.filter.value,
    /** Clicks from now on, by the wall clock (Unix ms, finer than Date.now tells). */
    recordClicks() {
      held.clicks = [];
      const second = Date.now();
      while (Date.now() === second);
      wall = Date.now() - performance.now();
    },
    clicks: () => held.clicks,
    /** The middle of a shown row's name. */
    place(number) {
      held.grid.scrollIntoView({ block: "center" });
      const { x, y, width, height } = rows()[number].querySelector('[col-id="Name"]').getBoundingClientRect();
      return [x + width / 2, y + height / 2];
    },
    first: () => Number(rows()[0]?.getAttribute("row-index") ?? -1),
    /** From the moment that the page is seen again: what it shows, frame by frame, for some seconds. */
    armReturn(seconds) {
      const shown = [];
      held.returned = new Promise((resolve) => {
        const seen = (event) => {
          if (document.visibilityState !== "visible") return;
          document.removeEventListener("visibilitychange", seen);
          const began = event.timeStamp;
          const look = async () => {
            const text = `${total()} ${rows().map(words).join(" ")}`;
            const now = (await drawn()) - began;
            if (shown.length === 0 || shown.at(-1)[1] !== text) shown.push([now, text]);
            if (now < seconds * 1000) requestAnimationFrame(look);
            else resolve([...shown.map(([at]) => at), shown.at(-1)[1]]);
          };
          requestAnimationFrame(look);
        };
        document.addEventListener("visibilitychange", seen);
      });
    },
    returned: () => held.returned,
  };
})()
