// Several methods under one dial, from frames that were computed beforehand.
import { frame } from "./dials.js";
import { sentence } from "./measures.js";
import { at } from "./page.js";
import { drawFrame } from "./stage.js";

/** Show the methods beside the network, if it has any, where the sliders stand; only while it is open. */
export async function showMethods(state) {
  const { model } = state;
  const [part, holder] = [at("methods"), at("method-pictures")];
  if (!part) return;
  const found = await Promise.all(
    model.methods.map(({ strips }) => (part.open ? frame({ ...state, model: { ...model, strips } }) : null)),
  );
  part.hidden = !model.methods.length || !(await frame(state));
  if (part.hidden || !part.open) return;
  if (holder.dataset.model !== model.name) {
    holder.dataset.model = model.name;
    holder.replaceChildren(...model.methods.map(({ title }) => picture(title, model.side)));
  }
  found.forEach(({ strip, index, measures }, i) => {
    const [canvas, numbers] = holder.children[i].querySelectorAll("canvas, .live-numbers");
    drawFrame(canvas, strip, index, model.side);
    numbers.textContent = sentence(...measures);
  });
}

function picture(title, side) {
  const figure = document.createElement("figure");
  const [canvas, caption, numbers] = ["canvas", "figcaption", "p"].map((kind) => document.createElement(kind));
  Object.assign(canvas, { width: side, height: side });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `The result of ${title}`);
  caption.textContent = title;
  numbers.className = "live-numbers";
  figure.append(canvas, caption, numbers);
  return figure;
}
