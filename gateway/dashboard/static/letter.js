/**
 * One dead letter: what is wrong with it, where it was found, and its bytes; send it again or discard it.
 */

import { ask } from "./ask.js";
import { el } from "./build.js";
import { decide } from "./decide.js";
import { badge, button, facts, headline, jobLink, panel, source, when } from "./parts.js";
import { settle } from "./settle.js";
import { size } from "./words.js";

export const title = "Dead letter";
const CALM_MS = 10000;

export function open(place) {
  const watching = place.watch(async (signal) => {
    const letter = await ask("letter", { id: place.name.id }, { signal });
    settle(place.main, drawn(letter, watching));
    return CALM_MS;
  });
}

function drawn(letter, watching) {
  return [
    headline([`Dead letter ${letter.id} `, badge(letter.reason)], actions(letter, watching)),
    el("div", { class: "why" }, el("p", null, letter.detail)),
    el("div", { class: "columns even" },
      panel("Facts", {}, factsOf(letter)),
      panel("Beside it", {}, el("h3", null, "Properties"), source(JSON.stringify(letter.properties, null, 2)),
        el("h3", null, "Headers"), source(JSON.stringify(letter.headers, null, 2)))),
    panel(letter.encoding === "base64" ? "Body, as base64: it is no UTF-8" : "Body", {}, source(letter.body),
      letter.cut ? el("p", { class: "quiet" }, "It is longer than what is shown.") : null),
  ];
}

function factsOf(letter) {
  return facts([
    ["Kept", when(letter.created_at)],
    ["Type", letter.type],
    ["Message id", el("span", { class: "id" }, letter.message_id)],
    ["Job of that id", letter.job_id && jobLink(letter.job_id, letter.job_id)],
    ["Exchange", letter.exchange || "(the default one)"],
    ["Routing key", letter.routing_key],
    ["Taken out of", letter.queue],
    ["Size", size(letter.size_bytes)],
    ["Cause", el("a", { class: "id", href: `#/dead-letters/list?fingerprint=${encodeURIComponent(letter.fingerprint)}` },
      letter.fingerprint)],
    ["Sent again", letter.redriven_at && when(letter.redriven_at)],
    ["As", letter.redriven_as && jobLink(letter.redriven_as, letter.redriven_as)],
  ]);
}

function actions(letter, watching) {
  return el("div", { class: "row" },
    letter.redriven_at ? null : button("Redrive", () => redrive(letter, watching)),
    button("Discard", () => discard(letter), "danger"));
}

function redrive(letter, watching) {
  decide({
    title: "Send this letter again?",
    text: "A job is made of its bytes as they are. If they are still bad, it is refused and stays here.",
    button: "Send it again",
    act: async () => {
      const job = await ask("redriveLetter", { id: letter.id });
      watching.now();
      return `It is job ${job.id}.`;
    },
  });
}

function discard(letter) {
  decide({
    title: "Discard this letter?",
    text: "Its bytes go for good.",
    button: "Discard it",
    danger: true,
    act: async () => {
      await ask("discardLetter", { id: letter.id });
      location.hash = "#/dead-letters";
      return "It is discarded.";
    },
  });
}
