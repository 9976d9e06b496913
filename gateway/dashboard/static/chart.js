/**
 * What goes through, drawn from what this page has seen: the counts of two looks and the time between them.
 *
 * The counts are of the rows that are kept; when old rows are cleared away a count falls, and that look draws nothing
 * for it.  The memory lasts as long as the tab, whichever view is open.
 */

import { el, svg } from "./build.js";
import { rate } from "./words.js";

const KEPT_MS = 600000;
const WIDTH = 600;
const HEIGHT = 140;
const RECENT_MS = 60000;
const DRAWN = ["completed", "failed"];

const seen = [];

/** Remember the counts of one look at /stats. */
export function remember(stats) {
  const at = Date.parse(stats.time);
  const last = seen.at(-1);
  if (last && at <= last.at) return;
  seen.push({ at, counts: stats.jobs.by_state });
  while (seen[0].at < at - KEPT_MS) seen.shift();
}

/** The mean a second of the last minute. */
export function recentRate(state) {
  const points = ratesOf(state).filter(({ at }) => at >= seen.at(-1).at - RECENT_MS);
  const seconds = points.reduce((sum, point) => sum + point.seconds, 0);
  return seconds ? points.reduce((sum, point) => sum + point.rate * point.seconds, 0) / seconds : 0;
}

/** The picture and its words. */
export function chart() {
  const lines = DRAWN.map((state) => [state, ratesOf(state)]);
  const most = Math.max(1, ...lines.flatMap(([, points]) => points.map((point) => point.rate)));
  const top = roof(most);
  if (seen.length < 3) return el("p", { class: "nothing chart" }, "It draws what it sees: the line begins in a few seconds.");
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
    "aria-label": `Completed a second: ${rate(recentRate("completed"))}; failed: ${rate(recentRate("failed"))}` },
    [0.25, 0.5, 0.75].map((share) => svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT * share, y2: HEIGHT * share, class: "grid" })),
    lines.map(([state, points]) => drawn(state, points, top)));
  return el("figure", { class: "chart" },
    el("div", { class: "plot" }, el("span", { class: "top-mark" }, `${rate(top)} a second`), drawing),
    el("div", { class: "axis" }, el("span", null, sinceText()), el("span", null, "now")));
}

function drawn(state, points, top) {
  const first = seen[0].at;
  const span = Math.max(60000, seen.at(-1).at - first);
  const x = (at) => (WIDTH * (1 - (seen.at(-1).at - at) / span)).toFixed(1);
  const y = (value) => (HEIGHT * (1 - value / top)).toFixed(1);
  const corners = points.map((point) => `${x(point.at)},${y(point.rate)}`);
  if (!corners.length) return null;
  const area = `${x(points[0].at)},${HEIGHT} ${corners.join(" ")} ${x(points.at(-1).at)},${HEIGHT}`;
  return [
    state === "completed" ? svg("polygon", { points: area, class: `area is-${state}` }) : null,
    svg("polyline", { points: corners.join(" "), class: `line is-${state}` }),
  ];
}

function ratesOf(state) {
  return seen.slice(1).map((one, index) => {
    const seconds = (one.at - seen[index].at) / 1000;
    return { at: one.at, seconds, rate: Math.max(0, one.counts[state] - seen[index].counts[state]) / seconds };
  });
}

function sinceText() {
  const minutes = Math.max(1, Math.round((seen.at(-1).at - seen[0].at) / 60000));
  return minutes === 1 ? "a minute ago" : `${minutes} minutes ago`;
}

/** A round number that is no smaller. */
function roof(value) {
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * step).find((round) => round >= value);
}
