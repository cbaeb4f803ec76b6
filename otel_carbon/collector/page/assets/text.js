// Numbers and elements. Whatever comes from the collector becomes text here, and never markup.

const DASH = "\u2013";
const MINUS = "\u2212";
const LOCALE = "en-US"; // as in tables elsewhere: 1,234.5

/** An element with attributes and children; strings among them become text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

/** CO2 with its index lowered. */
function lowered(text) {
  return text.replaceAll("CO2", "CO\u2082");
}

function whole(count) {
  return count.toLocaleString(LOCALE);
}

function fixed(amount, decimals) {
  return amount.toLocaleString(LOCALE, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** An amount in the unit of a scale; what would round to zero is shown as below the last digit. */
function scaled(amount, scale, decimals = scale.decimals) {
  const shown = amount * scale.factor;
  const smallest = 10 ** -decimals;
  return shown > 0 && shown < smallest / 2 ? `<${fixed(smallest, decimals)}` : fixed(shown, decimals);
}

function bounds(range, scale, decimals = scale.decimals) {
  return `${scaled(range.low, scale, decimals)} ${DASH} ${scaled(range.high, scale, decimals)}`;
}

/** Four digits; whole numbers above. */
function significant(amount) {
  const size = Math.abs(amount);
  const text = size >= 1000 ? fixed(size, 0) : Number(size.toPrecision(4)).toLocaleString(LOCALE, { maximumFractionDigits: 6 });
  return amount < 0 ? MINUS + text : text;
}

function percent(share) {
  // Neither nothing nor everything is claimed by rounding.
  if (share > 0 && share < 0.001) return "<0.1 %";
  if (share < 1 && share >= 0.9995) return ">99.9 %";
  return `${fixed(share * 100, 1)} %`;
}

function duration(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** A moment in UTC to the minute: 26 Nov 2026, 23:40 UTC. */
function moment(iso) {
  const at = new Date(iso);
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  return `${day}, ${at.toISOString().slice(11, 16)} UTC`;
}

function shortDay(date) {
  return new Date(date).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}

function small(text) {
  return element("small", {}, text);
}

function heads(headings) {
  return element("tr", {}, ...headings.map((each) => element("th", { scope: "col" }, lowered(each))));
}

function rangeCell(range, scale) {
  if (range === null) return element("td", {}, element("span", { class: "unknown" }, "unknown"));
  return element("td", {}, scaled(range.mid, scale), small(bounds(range, scale)));
}

/** Put rows in place of those that are there; the element keeps its focus and place. */
function fill(id, rows) {
  byId(id).replaceChildren(...rows);
}

/** Change a text only when it is another one, so that a screen reader is not told the same again. */
function say(id, text) {
  const target = byId(id);
  if (target.textContent !== text) target.textContent = text;
}
