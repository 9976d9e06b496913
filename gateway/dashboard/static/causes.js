/**
 * Dead letters by their causes: what nobody could read or do, how often, since when; all of one cause sent again.
 */

import { ask } from "./ask.js";
import { el } from "./build.js";
import { decide } from "./decide.js";
import { badge, button, headline, nothing, pager, panel, table, tabs, when } from "./parts.js";
import { settle } from "./settle.js";
import { count, cut, many } from "./words.js";

export const title = "Dead letters";
const A_PAGE = 50;
const RUNS_EVERY = 3;

export function open(place) {
  const known = { looks: 0, runs: [] };
  const all = place.query.redriven === "all";
  const watching = place.watch(async (signal) => {
    const asked = { group: "fingerprint", redriven: all ? "" : false, cursor: place.query.cursor, limit: A_PAGE };
    const page = await ask("causes", asked, { signal });
    if (known.looks % RUNS_EVERY === 0) known.runs = (await ask("redrives", {}, { signal })).items;
    known.looks += 1;
    settle(place.main, drawn(place, page, known, watching));
  });
}

function drawn(place, page, known, watching) {
  const all = place.query.redriven === "all";
  return [
    headline("Dead letters", el("p", { class: "lead" },
      "Messages that nobody could read, route or do. They are kept until somebody sends them again or discards them.")),
    tabs("Which", [["that wait", place.link({ redriven: "", cursor: "" }), !all],
      ["with those sent again", place.link({ redriven: "all", cursor: "" }), all]]),
    page.items.length ? table("Causes", columns(watching, known), page.items, (one) => one.fingerprint)
      : nothing("There are none."),
    pager(place.link, place.query.cursor, page.next_cursor),
    known.runs.length ? panel("Redrives", {}, table("Redrives", runColumns(watching, known), known.runs, (run) => run.id)) : null,
  ];
}

function columns(watching, known) {
  return [
    ["Reason", (one) => badge(one.reason), "bare"],
    ["Type", (one) => one.type ?? "–", "wide"],
    ["Letters", (one) => el("a", { href: `#/dead-letters/list?fingerprint=${encodeURIComponent(one.fingerprint)}` },
      count(one.count)), "number"],
    ["Wait", (one) => count(one.waiting), "number"],
    ["Newest", (one) => when(one.last_seen_at)],
    ["What the newest says", (one) => el("a", { href: `#/dead-letters/${one.sample.id}`, class: "plain" },
      cut(one.sample.detail)), "grow bare"],
    ["", (one) => (one.waiting ? button("Redrive", () => rehearse(one, watching, known)) : null), "do"],
  ];
}

function runColumns(watching, known) {
  return [
    ["State", (run) => badge(run.state), "bare"],
    ["Of", (run) => [run.reason, run.type].filter(Boolean).join(", ") || (run.fingerprint ? "one cause" : "all letters")],
    ["Letters", (run) => count(run.letters), "number"],
    ["Sent again", (run) => count(run.redriven), "number"],
    ["Still bad", (run) => count(run.refused), "number"],
    ["Begun", (run) => when(run.created_at)],
    ["Last refusal", (run) => run.last_refusal ?? "–", "grow"],
    ["", (run) => (run.state === "running" ? button("Stop", () => stop(run, watching, known)) : null), "do"],
  ];
}

/** Ask first what would become of them: whoever sends a thousand bad letters again has a thousand bad letters again. */
async function rehearse(cause, watching, known) {
  const which = { fingerprint: cause.fingerprint };
  const told = await ask("redrive", {}, { body: { ...which, dry_run: true } }).catch((error) => error);
  const text = told instanceof Error ? `What would become of them cannot be told: ${told.message}.` : foretold(told);
  decide({
    title: `Send ${many(cause.waiting, "dead letter")} again?`,
    text,
    button: "Send them again",
    act: async () => {
      const run = await ask("redrive", {}, { body: which });
      known.looks = 0;  // the list of redrives is to be asked for at once
      watching.now();
      return `${many(run.letters, "letter is", "letters are")} sent again, ${count(run.rate)} a second at most.`;
    },
  });
}

function foretold(told) {
  const looked = `Of ${many(told.judged, "letter")} that were looked at, `;
  const fate = told.refused ? `${count(told.refused)} would still be refused and stay here.` : "all would become jobs.";
  return [looked + fate, ...told.refusals.slice(0, 1).map((one) => `The first of them, ${one.letter}: ${cut(one.detail)}`)];
}

function stop(run, watching, known) {
  decide({
    title: "Stop this redrive?",
    text: "What it has sent again stays sent; the rest stays here.",
    button: "Stop it",
    act: async () => {
      const stopped = await ask("stopRedrive", { id: run.id });
      known.looks = 0;
      watching.now();
      return `It is stopped; ${many(stopped.redriven, "letter")} had been sent again.`;
    },
  });
}
