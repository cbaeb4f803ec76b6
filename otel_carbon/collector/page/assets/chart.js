// The bars of the days, drawn as SVG to the width that there is.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 240;
const MARGIN = { top: 30, right: 2, bottom: 26 };
const WIDTH_OF_LABEL = 60;
const WIDTH_OF_DIGIT = 7.5;

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A round step so that about `count` of them reach the largest amount. */
function roundStep(largest, count) {
  const rough = largest / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

function labelled(step, amount) {
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  return fixed(amount, Math.min(decimals, 9));
}

/** What the chart says, for those who do not see it. */
function described(rows, scale) {
  const counted = rows.filter((day) => day.counted !== "not" && day.emissions_gco2e !== null);
  if (counted.length === 0) return "No day was counted yet.";
  const most = counted.reduce((best, day) => (day.emissions_gco2e.mid > best.emissions_gco2e.mid ? day : best));
  const amount = `${scaled(most.emissions_gco2e.mid, scale)} ${scale.unit}`;
  return `${counted.length} of 30 days were counted; the most on ${shortDay(most.date)} with ${amount}. The table below holds every day.`;
}

/** Grid lines from zero to above the largest amount, each with its label. */
function gridOf(largest) {
  const step = largest > 0 ? roundStep(largest, 4) : 1;
  const top = largest > 0 ? Math.ceil((largest / step) * 0.999999) * step : step;
  const lines = [];
  for (let amount = 0; amount <= top * 1.000001; amount += step) lines.push({ amount, label: labelled(step, amount) });
  return { top, lines: largest > 0 ? lines : lines.slice(0, 1) };
}

function drawDays(days) {
  const scale = days.scales.emissions_gco2e;
  const width = Math.max(260, byId("chart").clientWidth);
  const mids = days.rows.map((day) => (day.emissions_gco2e === null ? 0 : day.emissions_gco2e.mid * scale.factor));
  const grid = gridOf(Math.max(...mids));
  const left = Math.max(...grid.lines.map((line) => line.label.length)) * WIDTH_OF_DIGIT + 8;
  const y = (amount) => HEIGHT - MARGIN.bottom - (amount / grid.top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const place = (width - left - MARGIN.right) / days.rows.length;
  const every = Math.ceil(WIDTH_OF_LABEL / place);
  const title = lowered(`Daily emissions, ${scale.unit}`);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": title });
  svg.append(drawn("text", { x: 0, y: 12 }, lowered(`${scale.unit} a day`)));
  for (const line of grid.lines) svg.append(...gridLine(y(line.amount), left, width, line.label));
  days.rows.forEach((day, position) => {
    const x = left + position * place;
    const fromLast = days.rows.length - 1 - position;
    svg.append(bar(day, x, place, y(mids[position]), scale));
    if (fromLast % every === 0) svg.append(dayLabel(day, fromLast === 0 ? width : x + place / 2, fromLast === 0));
  });
  byId("chart").replaceChildren(svg);
  say("chart-text", lowered(described(days.rows, scale)));
}

function dayLabel(day, x, isLast) {
  return drawn("text", { x, y: HEIGHT - 8, "text-anchor": isLast ? "end" : "middle" }, shortDay(day.date));
}

function gridLine(y, left, width, label) {
  return [
    drawn("line", { class: "grid", x1: left, x2: width, y1: y, y2: y }),
    drawn("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, label),
  ];
}

function bar(day, x, place, y, scale) {
  const bottom = HEIGHT - MARGIN.bottom;
  if (day.counted === "not") {
    const grey = drawn("rect", { class: "unknown-day", x: x + 1, width: Math.max(1, place - 2), y: MARGIN.top, height: bottom - MARGIN.top });
    grey.append(drawn("title", {}, `${shortDay(day.date)}: not counted`));
    return grey;
  }
  const range = day.emissions_gco2e;
  const amount = range === null ? "unknown" : `${scaled(range.mid, scale)} (${bounds(range, scale)}) ${scale.unit}`;
  const kind = day.counted === "part" ? "bar open" : "bar";
  const height = Math.max(0, bottom - y);
  const made = drawn("rect", { class: kind, x: x + place * 0.12, width: Math.max(1, place * 0.76), y: bottom - height, height });
  made.append(drawn("title", {}, lowered(`${shortDay(day.date)}: ${amount}, ${whole(day.calls)} calls`)));
  return made;
}
