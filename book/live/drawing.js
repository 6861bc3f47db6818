// Parts of drawings in SVG: made once, and moved after that.
const SPACE = "http://www.w3.org/2000/svg";

/** A part of an SVG picture, with its attributes and text. */
export function made(kind, attributes, text = "") {
  const element = document.createElementNS(SPACE, kind);
  place(element, attributes);
  if (text) element.textContent = text;
  return element;
}

/** Give a part new attributes. */
export function place(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}
