// The sections of the page, each from its part of the figures.

const QUANTITIES = [
  ["Emissions", "emissions_gco2e"],
  ["Energy", "energy_kwh"],
  ["Water", "water_l"],
];

function showTotals(totals) {
  for (const id of ["recent", "today", "month"]) fill(id, amounts(totals[id]));
  say("recent-title", `Now: last ${duration(totals.recent.duration_s)}`);
  say("today-title", `Today, ${shortDay(totals.today.date)} (UTC)`);
  say("month-title", `Last ${totals.month.days} days`);
  say("since", `Counting since ${moment(totals.counting_since)}.`);
  byId("empty").hidden = totals.month.calls > 0 || totals.month.tokens > 0;
}

function amounts(part) {
  const rows = QUANTITIES.map(([name, key], position) => {
    const range = part[key];
    const { unit, decimals, ...rest } = part.scales[key];
    const scale = { unit, decimals: Math.max(0, decimals - 1), ...rest };
    const mid = element("dd", { class: position === 0 ? "mid first" : "mid" });
    const pair = element("div", { class: "amount" }, element("dt", {}, name), mid);
    if (range === null) {
      mid.append(element("span", { class: "unknown" }, "unknown"));
    } else {
      mid.append(scaled(range.mid, scale), " ", small(lowered(unit)));
      pair.append(element("dd", { class: "bounds" }, lowered(`${bounds(range, scale)} ${unit}`)));
    }
    return pair;
  });
  const missing = part.calls - part.estimated;
  const note = missing > 0 ? `${whole(missing)} without an estimate` : "";
  const calls = element("div", { class: "amount" }, element("dt", {}, "Calls"), element("dd", { class: "mid" }, whole(part.calls)));
  if (note) calls.append(element("dd", { class: "bounds" }, note));
  return [...rows, calls];
}

const HOW_COUNTED = { not: "not counted", part: "part of the day", whole: "" };

function showDays(days) {
  const scale = days.scales.emissions_gco2e;
  fill("days-head", [heads(["Day (UTC)", "Calls", `Emissions, ${scale.unit}`])]);
  fill(
    "days-body",
    [...days.rows].reverse().map((day) => {
      const head = element("th", { scope: "row" }, day.date);
      if (HOW_COUNTED[day.counted]) head.append(small(HOW_COUNTED[day.counted]));
      if (day.counted === "not") return element("tr", {}, head, element("td", {}, DASH), element("td", {}, DASH));
      return element("tr", {}, head, element("td", {}, whole(day.calls)), rangeCell(day.emissions_gco2e, scale));
    }),
  );
}

function showModels(models, month) {
  const units = QUANTITIES.map(([name, key]) => `${name}, ${models.scales[key].unit}`);
  fill("models-head", [heads(["Model", "Calls", ...units, "Tokens"])]);
  fill("models-body", models.rows.map((row) => footprintRow(modelHead(row), row, models.scales)));
  fill("models-foot", [footprintRow(element("th", { scope: "row" }, "All calls"), month, models.scales)]);
}

function modelHead(row) {
  const name = row.models > 1 ? `${whole(row.models)} other models` : row.model || "no model named";
  const head = element("th", { scope: "row" }, name);
  if (row.models === 1 && row.provider) head.append(small(row.provider));
  return head;
}

function footprintRow(head, row, scales) {
  const missing = row.calls - row.estimated;
  const calls = element("td", {}, whole(row.calls));
  if (missing > 0) calls.append(small(`${whole(missing)} unestimated`));
  const ranges = QUANTITIES.map(([, key]) => rangeCell(row[key], scales[key]));
  return element("tr", {}, head, calls, ...ranges, element("td", {}, whole(row.tokens)));
}

function showCoverage(coverage) {
  const { calls, estimated, share } = coverage.month;
  say("coverage-text", share === null ? "No calls in the last 30 days." : `${percent(share)} of calls have an estimate: ${whole(estimated)} of ${whole(calls)} in the last 30 days.${today(coverage.today)}`);
  fill("coverage-head", [heads(["Reason", "Today", "30 days"])]);
  fill(
    "coverage-body",
    coverage.reasons.map((row) => {
      const why = element("td", {}, row.sentence || row.reason);
      if (row.sentence) why.append(small(row.reason));
      return element("tr", {}, why, element("td", {}, whole(row.today)), element("td", {}, whole(row.month)));
    }),
  );
  byId("coverage-table").hidden = coverage.reasons.length === 0;
  byId("unseen").hidden = coverage.unseen_calls === 0;
  say("unseen", `Sampling left out about ${whole(coverage.unseen_calls)} more calls since the counters began; they are in no figure here.`);
}

function today({ share }) {
  return share === null ? "" : ` Today: ${percent(share)}.`;
}

function showBudgets(budgets) {
  byId("budgets").hidden = budgets.length === 0;
  fill("budget-list", budgets.map(budgetItem));
}

const WHICH_END = { mid: "mid of the range", high: "upper end of the range", counted: "counted" };

function budgetItem(budget) {
  const spent = budget.share >= 1;
  const left = spent ? `${significant(-budget.left)} ${budget.unit} over` : `${significant(budget.left)} ${budget.unit} left`;
  const used = `${significant(budget.used)} of ${significant(budget.limit)} ${budget.unit} used, ${percent(budget.share)} (${WHICH_END[budget.bound]}); ${left}.`;
  const item = element("li", {}, element("h3", {}, budget.name, " ", small(budget.window)));
  item.append(element("p", spent ? { class: "bad" } : {}, lowered(spent ? `Spent. ${used}` : used)), track(budget, spent));
  item.append(element("p", { class: "quiet" }, lowered(timeOf(budget) + `Owner: ${budget.owner}. Scope: ${budget.scope}.`)));
  return item;
}

function timeOf(budget) {
  let text = budget.end === null ? "" : `${percent(budget.elapsed_share)} of the time has passed; it ends on ${moment(budget.end)}. `;
  if (budget.counted_since !== null) text += `Counted only since ${moment(budget.counted_since)}, so it may be too low. `;
  return text;
}

/** The part that is used as a bar, and the part of the time that has passed as a mark; the text beside it says both. */
function track(budget, spent) {
  const filled = element("i");
  filled.style.width = `${Math.min(100, budget.share * 100)}%`;
  const made = element("div", { class: spent ? "share over" : "share", "aria-hidden": "true" }, filled);
  if (budget.elapsed_share !== null) {
    const mark = element("b");
    mark.style.left = `${Math.min(100, budget.elapsed_share * 100)}%`;
    made.append(mark);
  }
  return made;
}

function showHealth(health) {
  const facts = [`Up for ${duration(health.uptime_s)}.`];
  if (health.memory_bytes !== null) facts.push(`${whole(Math.round(health.memory_bytes / 1048576))} MiB of memory.`);
  facts.push(`${whole(health.requests.success)} requests taken, ${whole(health.requests.refused)} refused for now, ${whole(health.requests.failure)} bad.`);
  if (health.registry_age_days !== null) facts.push(`The registry of facts is ${whole(health.registry_age_days)} days old.`);
  if (health.grid_table_age_days !== null) facts.push(`The table of grid intensities is ${whole(health.grid_table_age_days)} days old.`);
  if (health.attention.length === 0) facts.push("Nothing needs attention.");
  say("health-text", facts.join(" "));
  fill("attention", health.attention.map((each) => element("li", {}, each)));
  fill("health-head", [heads(["Exporter", "Backend", "Queue", "Spans sent", "Dropped or refused"])]);
  fill("health-body", health.exporters.map(exporterRow));
  say("registry", health.registry_version ? `, registry ${health.registry_version}` : "");
}

function exporterRow(exporter) {
  const backend = exporter.failing ? element("td", { class: "bad" }, "failing") : element("td", {}, "no fault seen");
  const cells = [percent(exporter.queue_share), whole(exporter.sent_spans), whole(exporter.lost_spans)];
  return element("tr", {}, element("th", { scope: "row" }, exporter.name), backend, ...cells.map((each) => element("td", {}, each)));
}
