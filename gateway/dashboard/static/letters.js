/**
 * The letters of one cause or one reason, newest first.
 */

import { ask } from "./ask.js";
import { el } from "./build.js";
import { badge, headline, nothing, pager, table, tabs, when } from "./parts.js";
import { settle } from "./settle.js";
import { cut, size } from "./words.js";

export const title = "Dead letters";
const A_PAGE = 50;

export function open(place) {
  const { fingerprint, reason, cursor, redriven } = place.query;
  place.watch(async (signal) => {
    const asked = { fingerprint, reason, cursor, redriven: redriven === "all" ? "" : false, limit: A_PAGE };
    const page = await ask("letters", asked, { signal });
    settle(place.main, drawn(place, page));
  });
}

function drawn(place, page) {
  const all = place.query.redriven === "all";
  return [
    headline(place.query.reason ? `Dead letters: ${place.query.reason.replaceAll("_", " ")}` : "Dead letters of one cause",
      el("p", { class: "lead" }, el("a", { href: "#/dead-letters" }, "All causes"))),
    tabs("Which", [["that wait", place.link({ redriven: "", cursor: "" }), !all],
      ["with those sent again", place.link({ redriven: "all", cursor: "" }), all]]),
    page.items.length ? table("Letters", COLUMNS, page.items, (one) => one.id) : nothing("There are none."),
    pager(place.link, place.query.cursor, page.next_cursor),
  ];
}

const COLUMNS = [
  ["Letter", (one) => el("a", { href: `#/dead-letters/${one.id}`, class: "strong" }, one.id), "bare"],
  ["Reason", (one) => badge(one.reason), "bare"],
  ["Type", (one) => one.type ?? "–"],
  ["Size", (one) => size(one.size_bytes), "number"],
  ["Kept", (one) => when(one.created_at)],
  ["What is wrong", (one) => cut(one.detail), "grow bare"],
  ["Sent again", (one) => (one.redriven_as ? el("a", { href: `#/jobs/${one.redriven_as}` }, "as a job") : "no")],
];
