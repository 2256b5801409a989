/** How events look; colours are the theme's, and each has a shape beside it. */

export const LANE_PX = 20;
export const ROW_PX = 24;
export const AXIS_PX = 20;

export const CSS = `
:host { --bad-back: color-mix(in srgb, #e5342e 9%, var(--back)); --bad-line: color-mix(in srgb, #e5342e 42%, var(--line)); }
.bar input[type="search"] { width: 150px; }
.bar select { font: inherit; color: var(--text); background: var(--back); border: 1px solid var(--line); border-radius: 3px;
  height: 22px; box-sizing: border-box; }
.bar select:focus-visible { outline: 2px solid var(--accent); outline-offset: -1px; }
.bar label { display: inline-flex; gap: 5px; align-items: center; }
.new { color: var(--accent-text); border-color: color-mix(in srgb, var(--accent) 60%, var(--line)); font-weight: 600; }
.note { color: var(--dim); overflow-wrap: anywhere; }
.time { position: relative; border-bottom: 1px solid var(--line); }
.time[hidden] { display: none; }
.time .axis { display: block; height: ${AXIS_PX}px; border-bottom: 1px solid color-mix(in srgb, var(--line) 60%, transparent); }
.time .axis text { fill: var(--dim); font: 10.5px var(--font); font-variant-numeric: tabular-nums; }
.time .scroll { overflow-y: auto; overflow-x: hidden; max-height: ${8 * LANE_PX}px; scrollbar-width: thin; }
.time .sizer { position: relative; }
.time .pane { position: sticky; top: 0; overflow: hidden; }
.time svg.lanes { position: absolute; top: 0; display: block; }
.time .label { position: absolute; left: 0; height: ${LANE_PX}px; line-height: ${LANE_PX}px; box-sizing: border-box; padding: 0 6px 0 8px;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 92%; cursor: pointer; unicode-bidi: isolate; }
.time .label.above { color: var(--dim); }
.time .label:hover { color: var(--accent-text); }
.time .label.picked { background: var(--picked); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; padding: 2px 8px 3px; color: var(--dim); font-size: 85%; }
.legend svg { width: 14px; height: 10px; vertical-align: -1px; margin-right: 3px; }
.legend[hidden], .list[hidden] { display: none; }
.grid { stroke: color-mix(in srgb, var(--line) 55%, transparent); stroke-width: 1; shape-rendering: crispEdges; }
.now { stroke: color-mix(in srgb, var(--accent) 60%, transparent); stroke-width: 1; stroke-dasharray: 2 2; }
.stripe { fill: color-mix(in srgb, var(--text) 3%, transparent); }
.chosen { fill: var(--picked); }
.state { fill: color-mix(in srgb, var(--dim) 30%, transparent); }
.state.started { fill: color-mix(in srgb, var(--accent) 34%, var(--back)); }
.state.ready { fill: color-mix(in srgb, #12a150 42%, var(--back)); }
.state.unready { fill: color-mix(in srgb, #e08600 48%, var(--back)); }
.state.failing, .state.failed { fill: color-mix(in srgb, #e5342e 40%, var(--back)); }
.state.ending { fill: color-mix(in srgb, var(--dim) 55%, var(--back)); }
.state.done { fill: color-mix(in srgb, var(--dim) 22%, transparent); }
.mark { fill: none; stroke: var(--text); stroke-width: 1.6; }
.mark.killed, .mark.failed { stroke: var(--bad); stroke-width: 2; }
.mark.gone { stroke: var(--dim); stroke-width: 2; }
.span { stroke: color-mix(in srgb, var(--dim) 70%, transparent); stroke-width: 1.2; }
.span.warning { stroke: color-mix(in srgb, #e08600 80%, var(--back)); }
.happened { fill: var(--accent); stroke: var(--back); stroke-width: 1.2; cursor: pointer; }
.happened.warning { fill: var(--warn); }
.happened.fresh { stroke: var(--text); }
.happened.picked { stroke: var(--text); stroke-width: 1.8; }
.list { position: relative; overflow-y: auto; overflow-x: hidden; outline: none; scrollbar-width: thin; }
.list:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.list .sizer { position: relative; }
.row, .group { position: absolute; left: 0; right: 0; height: ${ROW_PX}px; line-height: ${ROW_PX}px; box-sizing: border-box; display: flex;
  gap: 10px; padding: 0 8px; white-space: nowrap; border-bottom: 1px solid color-mix(in srgb, var(--line) 40%, transparent);
  font-size: 12.5px; font-variant-numeric: tabular-nums; cursor: pointer; }
.row:hover { background: var(--hover); }
.row.picked { background: var(--picked); }
.row > span { overflow: hidden; text-overflow: ellipsis; flex: none; unicode-bidi: isolate; }
.row .dot { width: 12px; }
.row .dot::before { content: "○"; }
.row.warning .dot::before { content: "▲"; color: var(--warn); font-size: 80%; }
.row .age { width: 58px; text-align: right; color: var(--dim); }
.row .reason { width: 150px; font-weight: 500; }
.row.warning .reason { color: var(--warn); }
.row .about { width: 220px; }
.row .often { width: 118px; color: var(--dim); }
.row .message { flex: 1; min-width: 60px; }
.row.fresh { box-shadow: inset 3px 0 0 var(--accent); background: color-mix(in srgb, var(--accent) 9%, transparent); }
.row.fresh .age { color: var(--accent-text); font-weight: 600; }
.row.picked.fresh, .row.picked { background: var(--picked); }
.grouped .row .about { display: none; }
.grouped .row { padding-left: 24px; }
.group { background: var(--raised); font-weight: 600; align-items: baseline; }
.group .name { overflow: hidden; text-overflow: ellipsis; unicode-bidi: isolate; }
.group .dim { font-weight: 400; }
.group .bad { color: var(--warn); font-weight: 500; }
.empty { display: grid; place-items: center; text-align: center; color: var(--dim); padding: 18px 24px; min-height: 40px; }
.empty[hidden] { display: none; }
.details { border-top: 1px solid var(--line); background: var(--raised); padding: 6px 10px 8px; }
.details[hidden] { display: none; }
.details .first { display: flex; flex-wrap: wrap; gap: 2px 12px; align-items: baseline; }
.details .first > span, .details .first > strong { unicode-bidi: isolate; overflow-wrap: anywhere; }
.details .text { margin: 5px 0 0; max-height: 130px; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-family: var(--mono);
  font-size: 12px; unicode-bidi: isolate; }
.details .push { flex: 1; }
.details .log { margin-top: 6px; max-height: 190px; overflow: auto; background: var(--back); border: 1px solid var(--line); border-radius: 3px;
  font-family: var(--mono); font-size: 12px; line-height: 17px; padding: 3px 0; scrollbar-width: thin; }
.details .log[hidden] { display: none; }
.log .line { display: block; padding: 0 8px; border: none; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
.log .line time { color: var(--dim); margin-right: 10px; }
.log .line.mark { font-family: var(--font); background: color-mix(in srgb, var(--accent) 10%, transparent); }
.log .line.mark.warning { background: color-mix(in srgb, #e08600 14%, transparent); color: var(--warn); }
.log .line.mark.own { box-shadow: inset 3px 0 0 var(--accent); font-weight: 600; }
.log .said { color: var(--dim); font-family: var(--font); padding: 0 8px; }
.frozen .time, .frozen .list { filter: grayscale(1); }
@container (max-width: 640px) { .row .about { width: 120px; } .row .reason { width: 100px; } .row .often { width: 74px; } }
@container (max-width: 480px) {
  .bar input[type="search"] { flex: 1 1 120px; }
  .row, .group { gap: 7px; }
  .row .age { width: 40px; }
  .row .about { flex: 1 1 80px; }
  .row .often, .row .message { display: none; }
  .grouped .row .message { display: block; }
}
`;
