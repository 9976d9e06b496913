/**
 * The files that a job has left: a link to each, or a button where the API key has to go along in a header.
 */

import { answerTo } from "./ask.js";
import { el } from "./build.js";
import { heldKey } from "./key.js";
import { button, table, when } from "./parts.js";
import { addressOf } from "./routes.js";
import { say } from "./standing.js";
import { size } from "./words.js";

const SOON_MS = 60000;

/** A table of them. */
export function savedFiles(artifacts) {
  const columns = [
    ["Name", (one) => (heldKey() ? button(one.name, () => fetched(one), "link") : linked(one)), "grow"],
    ["Type", (one) => one.content_type],
    ["Size", (one) => size(one.size_bytes), "number"],
    ["Attempt", (one) => one.attempt, "number"],
    ["Saved", (one) => when(one.created_at)],
  ];
  return table("Files", columns, artifacts, (one) => one.id);
}

function linked(one) {
  return el("a", { href: addressOf("artifact", { id: one.id, download: true }).address, download: one.name }, one.name);
}

async function fetched(one) {
  try {
    const answer = await answerTo("artifact", { id: one.id, download: true }, { patience: 0 });
    const href = URL.createObjectURL(await answer.blob());
    el("a", { href, download: one.name }).click();
    setTimeout(() => URL.revokeObjectURL(href), SOON_MS);
  } catch (error) {
    say(`It cannot be fetched: ${error.message}.`);
  }
}
