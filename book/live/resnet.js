// The paper's ResNet (tunable_core/resnet.py) with live dials. The kernels are mixed once for each turn of the
// dials (Eqs. 5, 6); after that a picture costs what the plain network costs.
import { CHANNELS, PIXELS } from "./convolve.js";
import { Threads } from "./threads.js";

const PAGE = 65536;
const upTo = (n, multiple) => Math.ceil(n / multiple) * multiple;

/** A bank [K, O, I, 3, 3] as K Float32Arrays in the order that the program reads: blocks of eight channels of
 *  the output, then row, column, channel of the input, and the eight together. */
function packed({ shape: [kernels, outputs, inputs], data }) {
  const size = upTo(outputs, CHANNELS) * inputs * 9;
  return Array.from({ length: kernels }, (_, k) => {
    const out = new Float32Array(size);
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++)
        for (let tap = 0; tap < 9; tap++) {
          const place = ((Math.floor(o / CHANNELS) * 9 + tap) * inputs + i) * CHANNELS + (o % CHANNELS);
          out[place] = data[((k * outputs + o) * inputs + i) * 9 + tap];
        }
    return out;
  });
}

/** A bank of biases [K, O], each as long as a multiple of eight. */
function padded({ shape: [kernels, outputs], data }) {
  return Array.from({ length: kernels }, (_, k) => {
    const out = new Float32Array(upTo(outputs, CHANNELS));
    out.set(data.subarray(k * outputs, (k + 1) * outputs));
    return out;
  });
}

export class ResNet {
  #threads = new Threads();
  #layers;
  #alpha;
  #form;
  #turned = "";
  #size = ""; // of the pictures that the buffers are for
  #buffers;

  /** form: {blocks, channels, stride, head_relu, mean} of the network; tensors: what it was saved as. */
  constructor(form, tensors) {
    const blocks = Array.from({ length: form.blocks }, (_, i) => [`body.${i}.conv1`, `body.${i}.conv2`]);
    this.#form = form;
    this.#alpha = [tensors["phi.weight"], tensors["phi.bias"]];
    let end = 0;
    const room = (length) => (end += 4 * length) - 4 * length;
    this.#layers = ["head", ...blocks.flat(), "tail"].map((name) => {
      const bank = tensors[`module.${name}.weight`];
      const [weights, biases] = [packed(bank), padded(tensors[`module.${name}.bias`])];
      const stride = name === "head" ? form.stride : 1;
      const shape = { inputs: bank.shape[2], outputs: biases[0].length, stride };
      const run = this.#threads.convolution(shape);
      return { ...shape, weights, biases, weight: room(weights[0].length), bias: room(biases[0].length), run };
    });
    this.#buffers = { start: end };
    this.#grow(end);
  }

  #grow(bytes) {
    const more = Math.ceil(bytes / PAGE) - this.#threads.memory.buffer.byteLength / PAGE;
    if (more > 0) this.#threads.memory.grow(more);
  }

  /** Mix the kernels at omega, unless they stand there. */
  #turn(omega) {
    if (this.#turned === omega.join()) return;
    const [{ shape: [, kernels, dials], data: weight }, { data: bias }] = this.#alpha;
    const numbers = new Float32Array(this.#threads.memory.buffer);
    this.#layers.forEach(({ weights, biases, ...to }, layer) => {
      const alpha = Array.from({ length: kernels }, (_, k) =>
        omega.reduce((sum, v, d) => sum + v * weight[(layer * kernels + k) * dials + d], bias[layer * kernels + k]),
      );
      mix(numbers.subarray(to.weight / 4), weights, alpha);
      mix(numbers.subarray(to.bias / 4), biases, alpha);
    });
    this.#turned = omega.join();
  }

  /** Room for the input, three features and the output of a picture, each with a border of zeros. */
  #prepare(height, width) {
    if (this.#size === `${height} ${width}`) return;
    const { stride, channels } = this.#form;
    const [rows, columns] = [height, width].map((side) => Math.ceil(side / stride));
    const across = upTo(columns, PIXELS); // of features, the last ones beyond the picture
    let end = upTo(this.#buffers.start, 16);
    const room = (depth, h, w) => {
      const row = 4 * depth * (w + 2);
      const buffer = { start: end, row, inner: end + row + 4 * depth, depth };
      end += row * (h + 2);
      return buffer;
    };
    const [input, ...rest] = [[3, height + stride, stride * across], ...[0, 1, 2].map(() => [channels, rows, across])].map(
      (sides) => room(...sides),
    );
    const output = room(this.#layers.at(-1).outputs, rows, across);
    this.#buffers = { ...this.#buffers, input, features: rest, output, rows, columns, across };
    this.#grow(end + 64);
    new Float32Array(this.#threads.memory.buffer).fill(0, upTo(this.#buffers.start, 16) / 4);
    this.#size = `${height} ${width}`;
  }

  async #convolve({ run, weight, bias }, from, to, mode = 0, skip = to) {
    const { rows, columns, across } = this.#buffers;
    const groups = across / PIXELS;
    await run({ input: from.start, output: to.inner, weight, bias, skip: skip.inner, mode, rows, groups, row: from.row, outRow: to.row });
    if (columns === across) return;
    const numbers = new Float32Array(this.#threads.memory.buffer); // beyond the picture there is nothing
    for (let y = 0; y < rows; y++) {
      const place = (to.inner + y * to.row) / 4;
      numbers.fill(0, place + columns * to.depth, place + across * to.depth);
    }
  }

  /** The result of a picture {data: [3, height, width], height, width} at omega. */
  async run({ data, height, width }, omega) {
    this.#turn(omega);
    this.#prepare(height, width);
    const { input, features, output } = this.#buffers;
    const [head, ...body] = this.#layers;
    const tail = body.pop();
    this.#enter(data, height, width);
    const [first, now, between] = features;
    await this.#convolve(head, input, first, this.#form.head_relu ? 1 : 0);
    for (let i = 0; i < body.length; i += 2) {
      await this.#convolve(body[i], i ? now : first, between, 1);
      await this.#convolve(body[i + 1], between, now, 2, i ? now : first);
    }
    this.#add(now, first);
    await this.#convolve(tail, now, output);
    return { data: this.#leave(data, height, width, output), height, width };
  }

  /** Give back what helps it. */
  release() {
    this.#threads.release();
  }

  #enter(data, height, width) {
    const { inner, row } = this.#buffers.input;
    const numbers = new Float32Array(this.#threads.memory.buffer);
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < height; y++) {
        const [to, from] = [(inner + y * row) / 4 + c, (c * height + y) * width];
        for (let x = 0; x < width; x++) numbers[to + 3 * x] = data[from + x] - this.#form.mean[c];
      }
  }

  #add(to, from) {
    const numbers = new Float32Array(this.#threads.memory.buffer);
    const count = (this.#buffers.rows * to.row) / 4;
    const [a, b] = [to.inner / 4, from.inner / 4];
    for (let i = 0; i < count; i++) numbers[a + i] += numbers[b + i];
  }

  /** The output as a picture: each pixel of features is a square of stride x stride pixels. */
  #leave(image, height, width, { inner, row, depth }) {
    const { stride, mean, image_skip: skip } = this.#form;
    const numbers = new Float32Array(this.#threads.memory.buffer);
    const out = new Float32Array(3 * height * width);
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const channel = (c * stride + (y % stride)) * stride + (x % stride);
          const place = (inner + Math.floor(y / stride) * row) / 4 + Math.floor(x / stride) * depth + channel;
          const i = (c * height + y) * width + x;
          out[i] = numbers[place] + mean[c] + (skip ? image[i] : 0);
        }
    return out;
  }
}

/** out = sum of alpha times each array. */
function mix(out, arrays, alpha) {
  for (let i = 0; i < arrays[0].length; i++) {
    let sum = 0;
    for (let k = 0; k < alpha.length; k++) sum += alpha[k] * arrays[k][i];
    out[i] = sum;
  }
}
