// The parts of the page, and what is said in it.
import { build } from "./markup.js";

export const root = document.getElementById("live");
build(root);

/** The part of the page with that data-live; null where this page has none. */
export const at = (name) => root.querySelector(`[data-live=${name}]`);

/** Let a part answer an event, if this page has it. */
export const on = (name, event, answer) => at(name)?.addEventListener(event, answer);

/** The address of a file beside this one. */
export const here = (file) => new URL(file, import.meta.url).href;

let refused = false;

/** Say what is going on; a refusal stays until the reader does something else. */
export function say(text) {
  if (!refused && at("status").textContent !== text) at("status").textContent = text; // read aloud only if new
}

export function refuse(text) {
  refused = true;
  at("status").textContent = text;
}

/** The reader did something: what was refused is past. */
export function forgive() {
  refused = false;
}

/** A share of 0 to 1; null: there is nothing to wait for. */
export function progress(share) {
  at("progress").hidden = share === null;
  at("progress").value = share ?? 0;
}

const images = new Map();

/** A picture file, loaded once; one that fails is asked for again the next time. */
export function image(file) {
  if (!images.has(file)) {
    const made = new Image();
    made.src = here(file);
    const loaded = made.decode().then(
      () => made,
      () => {
        images.delete(file);
        throw new Error("The photograph could not be loaded: is this browser offline? Choose it again to retry.");
      },
    );
    images.set(file, loaded);
  }
  return images.get(file);
}
