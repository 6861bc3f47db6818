// Before and after, one over the other, with a line between that a reader moves.
import { at } from "./page.js";
import { toImageData } from "./pictures.js";

/** Show a picture on the canvas "before" or "after". */
export function draw(name, picture) {
  const canvas = at(name);
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").putImageData(toImageData(picture), 0, 0);
}

/** Show a frame of a strip of squares below each other as "after". */
export function drawFrame(strip, frame, side) {
  const canvas = at("after");
  canvas.width = canvas.height = side;
  canvas.getContext("2d").drawImage(strip, 0, frame * side, side, side, 0, 0, side, side);
}

function wipe(share) {
  at("wipe").value = share;
  at("wipe").setAttribute("aria-valuetext", `${Math.round(100 * share)} % before`);
  at("stage").style.setProperty("--wipe", `${100 * share}%`);
}

/** Give the reader "after" as a PNG file. */
export function save(name) {
  at("after").toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

/** Let the line follow its slider, a pointer or a finger. */
export function listenStage() {
  const drag = (event) => {
    const { left, width } = at("stage").getBoundingClientRect();
    if (event.buttons) wipe(Math.min(1, Math.max(0, (event.clientX - left) / width)));
  };
  at("wipe").addEventListener("input", (event) => wipe(Number(event.target.value)));
  at("stage").addEventListener("pointerdown", drag);
  at("stage").addEventListener("pointermove", drag);
  wipe(0.5);
}
