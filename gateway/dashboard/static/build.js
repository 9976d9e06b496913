/**
 * Make nodes.  Text is only ever a text node: nothing here, and nothing else in this page, reads a string as HTML.
 */

const SVG = "http://www.w3.org/2000/svg";

/** An element; a function is its handler, false and null leave an attribute out, children may be nested in arrays. */
export function el(name, attributes, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same, for drawings. */
export function svg(name, attributes, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}
