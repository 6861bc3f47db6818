// Input and result, one over the other, with a line between that a reader moves, or paints on.
import { at } from "./page.js";
import { toImageData } from "./pictures.js";

/** Show a picture on the canvas "before" or "after". */
export function draw(name, picture) {
  const canvas = at(name);
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").putImageData(toImageData(picture), 0, 0);
}

/** Show a frame of a strip of squares below each other on a canvas. */
export function drawFrame(canvas, strip, frame, side) {
  canvas.width = canvas.height = side;
  canvas.getContext("2d").drawImage(strip, 0, frame * side, side, side, 0, 0, side, side);
}

/** Show the input on so much of the picture, from the left. */
export function wipe(share) {
  at("wipe").value = share;
  at("wipe").setAttribute("aria-valuetext", `${Math.round(100 * share)} % input`);
  const { style, classList } = at("stage");
  style.setProperty("--wipe", `${100 * share}%`);
  classList.toggle("live-no-input", share < 0.15);
  classList.toggle("live-no-result", share > 0.85);
}

/** Give the reader "after" as a PNG file, with the network and the sliders in its name. */
export function save({ model, values }) {
  const name = [model.name, ...model.sliders.map((s, i) => `${s.label} ${+values[i].toFixed(2)}`)].join(" ");
  at("after").toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name.toLowerCase().replaceAll(" ", "-")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

/** Let the line follow its slider, a pointer or a finger; while the brush is on, pointers paint. */
export function listenStage(brush) {
  const stage = at("stage");
  const place = (event) => {
    const { left, top, width, height } = stage.getBoundingClientRect();
    const share = (v) => Math.min(1, Math.max(0, v));
    return [share((event.clientX - left) / width), share((event.clientY - top) / height)];
  };
  at("wipe").addEventListener("input", (event) => wipe(Number(event.target.value)));
  stage.addEventListener("pointerdown", (event) => {
    if (!event.buttons) return;
    brush.on ? brush.begin(...place(event)) : wipe(place(event)[0]);
  });
  stage.addEventListener("pointermove", (event) => {
    if (brush.on) return event.buttons ? brush.move(...place(event)) : brush.cursor(...place(event));
    if (event.buttons) wipe(place(event)[0]);
  });
}
