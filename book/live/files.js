// Photographs of the reader's own: chosen, dropped or pasted; the last one counts.
import { on, refuse, root, say } from "./page.js";

let asked = 0;

/** Read a file and give take() its picture, unless another photograph was chosen meanwhile. */
async function read(file, take) {
  const mine = ++asked;
  if (!file) return refuse("There was no file: choose a PNG, JPEG or WebP file.");
  if (!file.type.startsWith("image/")) return refuse(`“${file.name}” is not a picture: choose a PNG, JPEG or WebP file.`);
  say(`Reading “${file.name}”.`);
  try {
    const own = await createImageBitmap(file);
    if (mine === asked) take({ own });
  } catch {
    if (mine === asked) refuse(`“${file.name}” cannot be read as a picture.`);
  }
}

export function listenFiles(take) {
  if (!root.querySelector("[type=file]")) return;
  const over = (shown) => root.classList.toggle("live-over", shown);
  on("file", "change", ({ target }) => {
    read(target.files[0], take);
    target.value = ""; // so that the same file may be chosen again
  });
  on("images", "change", () => asked++);
  on("models", "change", () => asked++);
  document.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || over(false));
  document.addEventListener("drop", (event) => {
    over(false);
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    read(event.dataTransfer.files[0], take);
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((item) => item.type.startsWith("image/"));
    if (file) read(file, take);
  });
}
