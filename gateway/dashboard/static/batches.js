/**
 * The batches: how far each is, and its jobs; cancel one.
 */

import { ask } from "./ask.js";
import { el } from "./build.js";
import { decide } from "./decide.js";
import { badge, bar, button, headline, nothing, pager, table, when } from "./parts.js";
import { settle } from "./settle.js";
import { count, many, shortId } from "./words.js";

export const title = "Batches";
const A_PAGE = 50;

export function open(place) {
  const watching = place.watch(async (signal) => {
    const page = await ask("batches", { cursor: place.query.cursor, limit: A_PAGE }, { signal });
    settle(place.main, headline("Batches"),
      page.items.length ? table("Batches", columns(watching), page.items, (one) => one.id)
        : nothing("There are none. POST /api/v1/batches makes one; /docs shows how."),
      pager(place.link, place.query.cursor, page.next_cursor));
  });
}

function columns(watching) {
  return [
    ["State", (one) => badge(one.state), "bare"],
    ["Batch", (one) => el("a", { href: `#/jobs?batch_id=${one.id}`, class: "strong", title: one.id }, one.name ?? shortId(one.id)), "bare"],
    ["Progress", progress, "grow bare"],
    ["Jobs", (one) => count(one.counts.total), "number"],
    ["Failed", (one) => count(one.counts.failed), "number"],
    ["Made", (one) => when(one.created_at)],
    ["Ended", (one) => when(one.finished_at)],
    ["", (one) => (one.finished_at || one.cancel_requested_at ? null : button("Cancel", () => cancel(one, watching))), "do"],
  ];
}

function progress({ counts, progress: far }) {
  const share = (number) => (counts.total ? number / counts.total : 0);
  return [bar([share(counts.completed), "completed"], [share(counts.failed), "failed"],
    [share(counts.cancelled + counts.expired), "cancelled"], [share(counts.running), "running"]),
    el("span", { class: "quiet" }, `${count(far.ended)} of ${count(counts.total)} ended`)];
}

function cancel(one, watching) {
  decide({
    title: `Cancel ${one.name ?? "this batch"}?`,
    text: `${many(one.counts.pending, "job")} that wait will not start; ${count(one.counts.running)} that run are asked to end.`,
    button: "Cancel it",
    danger: true,
    act: async () => {
      await ask("cancelBatch", { id: one.id });
      watching.now();
      return "It is cancelled.";
    },
  });
}
