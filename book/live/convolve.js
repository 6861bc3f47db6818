// A WebAssembly program for one convolution of 3 x 3, written here byte by byte. A few pixels of eight
// channels stay in registers while their products are summed; where the browser has relaxed SIMD, a product
// and its sum are one step.

const ZERO = [0xfd, 0x0c, ...Array(16).fill(0)];
const MULTIPLY_ADD = [0xfd, 0x85, 2];
/** Whether the browser takes a program with that step. */
const FUSED = WebAssembly.validate(
  Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0],
    ...[10, 61, 1, 59, 0, ...ZERO, ...ZERO, ...ZERO, ...MULTIPLY_ADD, 0x0b],
  ),
);

/** Computed at once: as many sums as stay in sixteen registers. */
export const PIXELS = FUSED ? 6 : 4;
export const CHANNELS = 8;
const UNROLLED = 3; // numbers of a kernel's row without a jump

/** Parameters of the program, in this order; addresses and steps are in bytes.
 *  input: the first row that is seen, its border included; output: the first pixel; skip: of what mode 2 adds.
 *  mode: 0 the sums as they are, 1 no negative ones, 2 skip is added. groups: of PIXELS in a row.
 *  row: from a row of the input to the next; outRow: the same of output and skip. */
const PARAMETERS = ["input", "output", "weight", "bias", "skip", "mode", "rows", "groups", "row", "outRow"];
const COUNTERS = ["blocks", "left", "lines", "numbers"]; // each counts down to 0
const POINTERS = ["kernel", "tap", "corner", "line", "at", "place", "other", "offset", "shift"];
const LOCALS = [...PARAMETERS, ...COUNTERS, ...POINTERS];
const [SUM, KERNEL, PIXEL] = [0, 2 * PIXELS, 2 * PIXELS + 2].map((n) => LOCALS.length + n); // vectors

const whole = (n) => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, whole(n >>> 7)]);
const signed = (n) => (n >= -64 && n < 64 ? [n & 0x7f] : [(n & 0x7f) | 0x80, signed(n >> 7)]);
const sized = (bytes) => [whole(bytes.flat(Infinity).length), bytes];
const counted = (items) => [whole(items.length), items];
const named = (text) => counted([...text].map((c) => c.charCodeAt(0)));

const local = (name) => (typeof name === "string" ? LOCALS.indexOf(name) : name);
const get = (name) => [0x20, local(name)];
const set = (name, value) => [value, 0x21, local(name)];
const number = (n) => [0x41, signed(n)];
const sum = (one, other) => [one, other, 0x6a];
const move = (name, step) => set(name, sum(get(name), step));
const repeat = (counter, body) => [
  [0x03, 0x40, body], // until the counter is 0
  [get(counter), number(1), 0x6b, 0x22, local(counter), 0x0d, 0, 0x0b],
];
const when = (mode, body) => [get("mode"), number(mode), 0x46, 0x04, 0x40, body, 0x0b];
const load = (pointer, bytes) => [get(pointer), 0xfd, 0x00, 2, whole(bytes)];
const spread = (pointer, bytes) => [get(pointer), 0xfd, 0x09, 2, whole(bytes)]; // one number, four times
const store = (pointer, bytes, value) => [get(pointer), value, 0xfd, 0x0b, 2, whole(bytes)];
const plus = (one, other) => [one, other, 0xfd, 0xe4, 1];
const larger = (one, other) => [one, other, 0xfd, 0xe9, 1];
const multiplied = (one, other, total) =>
  FUSED ? [one, other, total, MULTIPLY_ADD] : plus([one, other, 0xfd, 0xe6, 1], total);

const each = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const halves = (make) => each(2, make);
/** For each sum: its local, its pixel, and the bytes of its half of the channels. */
const sums = (make) => each(PIXELS, (pixel) => halves((half) => make(SUM + 2 * pixel + half, pixel, 16 * half)));

function body({ inputs, outputs, stride }) {
  const wide = 4 * stride * inputs; // bytes from the input of a pixel to that of the next
  const block = 4 * CHANNELS;
  const products = (u) => [
    halves((half) => set(KERNEL + half, load("tap", block * u + 16 * half))),
    each(PIXELS, (pixel) => [
      set(PIXEL, spread("at", pixel * wide + 4 * u)),
      halves((half) => {
        const total = SUM + 2 * pixel + half;
        return set(total, multiplied(get(PIXEL), get(KERNEL + half), get(total)));
      }),
    ]),
  ];
  const line = [
    set("at", get("line")),
    set("numbers", number((3 * inputs) / UNROLLED)),
    repeat("numbers", [
      each(UNROLLED, products),
      move("tap", number(block * UNROLLED)),
      move("at", number(4 * UNROLLED)),
    ]),
    move("line", get("row")),
  ];
  const pixels = [
    sums((total, _, half) => set(total, load("shift", half))),
    [set("tap", get("kernel")), set("line", get("corner")), set("lines", number(3))],
    repeat("lines", line),
    when(1, sums((total) => set(total, larger(get(total), ZERO)))),
    when(2, sums((total, pixel, half) => set(total, plus(get(total), load("other", 4 * pixel * outputs + half))))),
    sums((total, pixel, half) => store("place", 4 * pixel * outputs + half, get(total))),
    move("corner", number(PIXELS * wide)),
    ["place", "other"].map((name) => move(name, number(4 * PIXELS * outputs))),
  ];
  const channels = [
    set("corner", get("input")),
    set("place", sum(get("output"), get("offset"))),
    set("other", sum(get("skip"), get("offset"))),
    set("shift", sum(get("bias"), get("offset"))),
    set("left", get("groups")),
    repeat("left", pixels),
    move("offset", number(block)),
    move("kernel", number(9 * inputs * block)),
  ];
  return repeat("rows", [
    [set("offset", number(0)), set("kernel", get("weight")), set("blocks", number(outputs / CHANNELS))],
    repeat("blocks", channels),
    [move("input", each(stride, () => get("row")).reduce(sum)), move("output", get("outRow")), move("skip", get("outRow"))],
  ]);
}

/** The bytes of a program. inputs, outputs: channels, the latter a multiple of CHANNELS; stride;
 *  shared: its memory serves several threads, and holds so many pages at most. */
function program({ shared, ...form }) {
  const [I32, V128] = [0x7f, 0x7b];
  const counters = LOCALS.length - PARAMETERS.length;
  const code = [counted([[counters, I32], [2 * PIXELS + 3, V128]]), body(form), 0x0b];
  const limits = shared ? [3, 1, whole(shared)] : [0, 1];
  const parts = {
    1: counted([[0x60, counted(PARAMETERS.map(() => I32)), counted([])]]),
    2: counted([[named("page"), named("memory"), 2, limits]]),
    3: counted([[0]]),
    7: counted([[named("convolve"), 0, 0]]),
    10: counted([sized(code)]),
  };
  const sections = Object.entries(parts).map(([id, content]) => [Number(id), sized(content)]);
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, sections].flat(Infinity));
}

/** A function of PARAMETERS that convolves in a WebAssembly.Memory. */
export function convolution(memory, form) {
  const module = new WebAssembly.Module(program(form));
  const { convolve } = new WebAssembly.Instance(module, { page: { memory } }).exports;
  return (named) => convolve(...PARAMETERS.map((name) => named[name] ?? 0));
}
