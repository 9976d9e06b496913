/**
 * Ask the reader before something is changed, do it, and say what became of it.
 *
 * The dialog stays open while the gateway works and when it refuses, with its sentence in it: nobody has to guess
 * whether a click did anything.
 */

import { el } from "./build.js";
import { say } from "./standing.js";

/**
 * `title` is the question, `text` what will happen, `button` the word that does it, `act(note)` does it and returns
 * the sentence that is said afterwards.  With `noted` the reader may say why.
 */
export function decide({ title, text, button, danger = false, noted = false, act }) {
  const dialog = document.getElementById("decision");
  const note = noted ? el("input", { id: "note", maxlength: "1000", autocomplete: "off" }) : null;
  const trouble = el("p", { class: "trouble", role: "alert", hidden: true });
  const go = el("button", { type: "submit", class: danger ? "danger" : "main" }, button);
  const submitted = async (event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      say(await act(note?.value.trim() ?? ""));
      dialog.close();
    } catch (error) {
      trouble.textContent = [error.message, error.remedy].filter(Boolean).join("; ");
      trouble.hidden = false;
      go.disabled = false;
    }
  };
  dialog.replaceChildren(el("form", { onsubmit: submitted },
    el("h2", { id: "decision-title" }, title),
    [text].flat().map((sentence) => el("p", null, sentence)),
    note && [el("label", { for: "note" }, "Why (others see it; may be empty)"), note],
    trouble,
    el("div", { class: "row end" },
      el("button", { type: "button", onclick: () => dialog.close() }, "Leave it"), go)));
  dialog.showModal();
  (note ?? go).focus();
}

/** What is sent with a pause: nothing, or why. */
export function noteOf(note) {
  return note ? { note } : {};
}
