// One shape for each state, so that colour is never the only sign.
const shapes = {
  dot: [["circle", { cx: 8, cy: 8, r: 5, class: "solid" }]],
  half: [["circle", { cx: 8, cy: 8, r: 5.5 }], ["path", { d: "M8 2.5a5.5 5.5 0 0 1 0 11z", class: "solid" }]],
  ring: [["path", { d: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5", class: "turn" }]],
  triangle: [["path", { d: "M8 1.5 15 14H1z", class: "solid" }]],
  dashed: [["circle", { cx: 8, cy: 8, r: 5.5, "stroke-dasharray": "2.6 2" }]],
  bars: [["path", { d: "M4 2.5h3v11H4zM9 2.5h3v11H9z", class: "solid" }]],
  question: [["path", { d: "M5 5.5a3 3 0 1 1 4.5 2.6C8.4 8.8 8 9.3 8 10.5" }], ["circle", { cx: 8, cy: 13.5, r: 1.1, class: "solid" }]],
};

/** glyph draws a shape by its name. */
export function glyph(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "glyph");
  svg.setAttribute("aria-hidden", "true");
  for (const [kind, attributes] of shapes[name]) {
    const part = document.createElementNS(space, kind);
    for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
    svg.append(part);
  }
  return svg;
}
