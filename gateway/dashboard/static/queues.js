/**
 * The queues: what waits in each and for how long, by priority, who consumes it; let one stand still, let it go on.
 */

import { ask } from "./ask.js";
import { el } from "./build.js";
import { decide, noteOf } from "./decide.js";
import { badge, bar, button, headline, nothing, when } from "./parts.js";
import { settle } from "./settle.js";
import { count, length, many } from "./words.js";

export const title = "Queues";

export function open(place) {
  const watching = place.watch(async (signal) => {
    const { items } = await ask("queues", {}, { signal });
    settle(place.main, headline("Queues"),
      items.length ? el("div", { class: "cards" }, items.map((queue) => card(queue, watching)))
        : nothing("No worker has registered a job type yet: start one, and its queues are here."));
  });
}

function card(queue, watching) {
  return el("section", { class: "panel", "data-key": queue.name },
    el("header", null,
      el("h2", null, el("a", { href: `#/jobs?queue=${encodeURIComponent(queue.name)}` }, queue.name), " ",
        badge(queue.paused ? "paused" : queue.consumers ? "consumed" : "unattended")),
      queue.paused ? button("Resume", () => resume(queue, watching), "main") : button("Pause", () => pause(queue, watching))),
    queue.paused ? el("p", { class: "quiet" }, "Paused ", when(queue.paused.paused_at), ` by ${queue.paused.paused_by}`,
      queue.paused.note ? `: ${queue.paused.note}` : "") : null,
    el("p", null, sentence(queue)),
    queue.waiting.length ? levels(queue.waiting) : null,
    el("p", { class: "quiet" }, `${count(queue.jobs.completed)} completed, ${count(queue.jobs.failed)} failed are kept. `,
      `${many(queue.workers, "live worker serves", "live workers serve")} it.`),
    el("details", null, el("summary", null, many(queue.types.length, "job type")),
      el("p", { class: "chips" }, queue.types.map((type) => [el("a", { class: "chip", href: `#/jobs?type=${encodeURIComponent(type)}` },
        type, queue.paused_types.includes(type) ? " (paused)" : ""), " "]))));
}

function sentence(queue) {
  const runs = queue.jobs.running ? many(queue.jobs.running, "job runs", "jobs run") : "Nothing runs";
  if (!queue.jobs.pending) return `${runs}, nothing waits.`;
  const oldest = queue.oldest_seconds === null ? "none of them is due yet" : `the oldest has been due for ${length(queue.oldest_seconds)}`;
  return `${runs}, ${many(queue.jobs.pending, "waits", "wait")}; ${oldest}.`;
}

function levels(waiting) {
  const most = Math.max(...waiting.map((level) => level.pending));
  return el("ul", { class: "levels" }, waiting.map((level) => el("li", { "data-key": `p${level.priority}` },
    el("span", { class: "level" }, `priority ${level.priority}`),
    bar([level.pending / most, "queued"]),
    el("span", { class: "number" }, count(level.pending)))));
}

function pause(queue, watching) {
  decide({
    title: `Pause the queue ${queue.name}?`,
    text: "Workers take no more from it; what runs is finished, what waits keeps its place. Jobs are accepted all the same.",
    button: "Pause it",
    noted: true,
    act: async (note) => {
      await ask("pauseQueue", { name: queue.name }, { body: noteOf(note) });
      watching.now();
      return `${queue.name} stands still.`;
    },
  });
}

function resume(queue, watching) {
  decide({
    title: `Let the queue ${queue.name} go on?`,
    text: "Workers take from it again within moments.",
    button: "Resume it",
    act: async () => {
      await ask("resumeQueue", { name: queue.name });
      watching.now();
      return `${queue.name} goes on.`;
    },
  });
}
