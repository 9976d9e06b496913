/**
 * Say how the page stands with the gateway: a word in the corner, and a sentence across the top when it is away.
 */

let counting = null;

/** What is shown is two seconds old at most. */
export function tellLive() {
  quiet();
  word("live", "Live", "Looks again every two seconds while this tab is seen");
}

/** Nobody sees the tab: nothing is asked. */
export function tellPaused() {
  quiet();
  word("paused", "Paused", "Nothing is asked while the tab is hidden");
}

/** It does not answer; say when the next try is, second by second. */
export function tellAway(sentence, milliseconds) {
  quiet();
  word("gone", "Away", "What is shown is old");
  const next = Date.now() + milliseconds;
  const tell = () => {
    const left = Math.max(0, Math.ceil((next - Date.now()) / 1000));
    place("away").textContent = `${sentence}; next try in ${left} s.`;
  };
  tell();
  place("away").hidden = false;
  counting = setInterval(tell, 1000);
}

/** Say something that was done, for a few seconds. */
export function say(sentence) {
  const said = place("said");
  said.textContent = sentence;
  said.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { said.hidden = true; }, 6000);
}

function quiet() {
  clearInterval(counting);
  place("away").hidden = true;
}

function word(kind, text, title) {
  const standing = place("standing");
  standing.className = kind;
  standing.textContent = text;
  standing.title = title;
}

function place(id) {
  return document.getElementById(id);
}
