/** A small picture of a minute. */

const SVG = "http://www.w3.org/2000/svg";

export class Spark {
  readonly element = document.createElementNS(SVG, "svg");
  #area = document.createElementNS(SVG, "path");
  #line = document.createElementNS(SVG, "path");
  #cuts = document.createElementNS(SVG, "path");

  constructor(
    private readonly width: number,
    private readonly height: number,
    label: string,
    /** What fills the picture at least: noise is no mountain. */
    private readonly least = 1,
  ) {
    this.element.setAttribute("class", "spark");
    this.element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.element.setAttribute("preserveAspectRatio", "none");
    this.element.setAttribute("role", "img");
    this.element.setAttribute("aria-label", label);
    this.#area.setAttribute("class", "area");
    this.#line.setAttribute("class", "stroke");
    this.#line.setAttribute("vector-effect", "non-scaling-stroke");
    this.#cuts.setAttribute("class", "cut");
    this.#cuts.setAttribute("vector-effect", "non-scaling-stroke");
    this.element.append(this.#area, this.#line, this.#cuts);
  }

  /** The line of the rates, and a stroke for each second of a cut. */
  draw(rates: readonly number[], cuts: readonly boolean[] = []): void {
    if (rates.length < 2) return;
    const top = Math.max(this.least, ...rates);
    const step = this.width / (rates.length - 1);
    const points = rates.map((rate, at) => {
      const y = this.height - 1 - (rate / top) * (this.height - 3);
      return `${(at * step).toFixed(1)} ${y.toFixed(1)}`;
    });
    const line = `M${points.join("L")}`;
    this.#line.setAttribute("d", line);
    this.#area.setAttribute("d", `${line}L${this.width} ${this.height}L0 ${this.height}Z`);
    const strokes = cuts.flatMap((cut, at) => (cut ? [`M${(at * step).toFixed(1)} 0V${this.height}`] : []));
    this.#cuts.setAttribute("d", strokes.join(""));
  }
}
