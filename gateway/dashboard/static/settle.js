/**
 * Lay fresh nodes over those that stand, and change only what differs.
 *
 * A view is drawn anew every two seconds.  If its nodes were simply replaced, the reader would lose what is focused,
 * selected, scrolled to or opened, each time.  Rows carry `data-key`, so that a button never becomes another job's under
 * somebody's finger.
 */

const HANDLERS = ["onclick", "onsubmit"];
const THE_READER_S_OWN = new Set(["open"]);  // what somebody has opened stays open

/** Make the children of this element what these nodes are. */
export function settle(parent, ...fresh) {
  children(parent, fresh.flat(Infinity).filter((node) => node));
}

function children(parent, fresh) {
  const keyed = new Map([...parent.childNodes].filter(keyOf).map((node) => [keyOf(node), node]));
  let place = parent.firstChild;
  for (const wanted of fresh) {
    const found = keyOf(wanted) ? keyed.get(keyOf(wanted)) : place && !keyOf(place) ? place : null;
    if (!found || found.nodeName !== wanted.nodeName) {
      parent.insertBefore(wanted, place);
      continue;
    }
    if (found === place) place = place.nextSibling;
    else parent.insertBefore(found, place);
    same(found, wanted);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function same(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  attributes(old, fresh);
  for (const name of HANDLERS) old[name] = fresh[name];
  children(old, [...fresh.childNodes]);
}

function attributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !THE_READER_S_OWN.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value && !THE_READER_S_OWN.has(name)) old.setAttribute(name, value);
  }
}

function keyOf(node) {
  return node?.dataset?.key;
}
