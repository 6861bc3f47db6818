// Sliders and choices, each with its label.

const UNITS = { noise: " grey levels", blur: " pixels" };

/** A slider of the manifest at a value; onMove gets the new one. */
export function slider(spec, value, onMove) {
  const label = document.createElement("label");
  const [name, input, ends] = ["span", "input", "span"].map((kind) => document.createElement(kind));
  const [low, output, high] = ["span", "output", "span"].map((kind) => document.createElement(kind));
  [name.textContent, low.textContent, high.textContent] = [spec.label, spec.low, spec.high];
  ends.className = "live-ends";
  ends.append(low, output, high);
  label.append(name, input, ends);
  Object.assign(input, { type: "range", min: 0, max: spec.most, step: spec.most / 100, name: spec.label });
  input.value = value;
  const tell = () => {
    const text = Number(input.value).toFixed(spec.kind === "dial" ? 2 : 1);
    output.textContent = text;
    input.setAttribute("aria-valuetext", `${text}${UNITS[spec.kind] ?? ""}`);
  };
  input.addEventListener("input", () => {
    tell();
    onMove(Number(input.value));
  });
  tell();
  return label;
}

/** A choice of one of several, [value, title] each, the first of them at first. */
export function choices(name, items, onChange) {
  return items.map(([value, title], i) => {
    const label = document.createElement("label");
    const radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: `live-${name}`, value: title, checked: i === 0 });
    radio.addEventListener("change", () => onChange(value));
    label.append(radio, " ", title);
    return label;
  });
}
