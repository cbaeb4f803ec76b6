// Asks for the figures again and again while somebody looks.

const INTERVAL_MS = 10000;
const TIMEOUT_MS = 15000;
let latest = null;
let timer = null;
let isAsking = false;

function render(totals) {
  latest = totals;
  showTotals(totals);
  showDays(totals.days);
  drawDays(totals.days);
  showModels(totals.models, totals.month);
  showCoverage(totals.coverage);
  showBudgets(totals.budgets);
  showHealth(totals.health);
  say("updated", `Figures of ${moment(totals.at).replace(" UTC", `:${totals.at.slice(17, 19)} UTC`)}`);
}

function tell(text, hasFailed) {
  byId("state").classList.toggle("failed", hasFailed);
  say("state", text);
}

function isPaused() {
  return byId("pause").getAttribute("aria-pressed") === "true";
}

async function ask() {
  clearTimeout(timer);
  if (isAsking) return;
  isAsking = true;
  try {
    const answer = await fetch("api/totals", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) throw new Error(`the collector answered ${answer.status}`);
    render(await answer.json());
    tell(isPaused() ? "Paused" : "Live", false);
  } catch (error) {
    console.error(error);
    tell(latest === null ? "The collector does not answer; there are no figures yet." : "The collector does not answer; these figures are old.", true);
  } finally {
    isAsking = false;
    schedule();
  }
}

function schedule() {
  clearTimeout(timer);
  if (!isPaused() && !document.hidden) timer = setTimeout(ask, INTERVAL_MS);
}

function togglePause() {
  const pausing = !isPaused();
  byId("pause").setAttribute("aria-pressed", String(pausing));
  if (pausing) {
    clearTimeout(timer);
    tell("Paused", false);
  } else {
    ask();
  }
}

byId("pause").addEventListener("click", togglePause);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !isPaused()) ask();
  else clearTimeout(timer);
});
new ResizeObserver(() => latest !== null && drawDays(latest.days)).observe(byId("chart"));
ask();
