// Strips of frames (plots.filmstrip) become one picture with a slider for each dial.
document.addEventListener("DOMContentLoaded", () => {
  for (const film of document.querySelectorAll("div.filmstrip")) {
    const { dials, shape, labels } = JSON.parse(film.dataset.film);
    const strip = film.querySelector("img");
    const frame = document.createElement("div");
    frame.className = "filmstrip-frame";
    strip.replaceWith(frame);
    frame.append(strip);
    strip.style.width = `${100 * labels.length}%`;
    const said = document.createElement("output");
    const sliders = dials.map((name, k) => {
      const label = document.createElement("label");
      const slider = document.createElement("input");
      Object.assign(slider, { type: "range", min: 0, max: shape[k] - 1, step: 1, name });
      slider.value = Math.floor((shape[k] - 1) / 2);
      slider.addEventListener("input", show);
      label.append(name, slider);
      film.append(label);
      return slider;
    });
    film.append(said);
    function show() {
      const at = sliders.reduce((i, slider, k) => i * shape[k] + Number(slider.value), 0);
      strip.style.transform = `translateX(${(-100 * at) / labels.length}%)`;
      said.textContent = labels[at];
      sliders.forEach((slider) => slider.setAttribute("aria-valuetext", labels[at]));
    }
    show();
    film.dataset.ready = "";
  }
});
