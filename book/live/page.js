// The parts of the page, and what is said in it.

export const root = document.getElementById("live");

/** The part of the page with that data-live. */
export const at = (name) => root.querySelector(`[data-live=${name}]`);

/** The address of a file beside this one. */
export const here = (file) => new URL(file, import.meta.url).href;

export function say(text) {
  if (at("status").textContent !== text) at("status").textContent = text; // read aloud only if new
}

/** A share of 0 to 1; null: there is nothing to wait for. */
export function progress(share) {
  at("progress").hidden = share === null;
  at("progress").value = share ?? 0;
}

const images = new Map();

/** A picture file, loaded once. */
export function image(file) {
  if (!images.has(file)) {
    const made = new Image();
    made.src = here(file);
    images.set(file, made.decode().then(() => made));
  }
  return images.get(file);
}
