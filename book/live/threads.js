// Several threads for one convolution, each with some of its rows. Browsers allow that where the page is isolated
// from other origins (isolate.js); elsewhere there is one thread.
import { convolution } from "./convolve.js";

const PAGES = 32768; // of memory, at most: two gigabytes, taken as they are needed
const MOST = 8;

/** How many threads there may be here. */
const count = () => (globalThis.crossOriginIsolated ? Math.min(MOST, navigator.hardwareConcurrency || 1) : 1);

/** Memory for several threads; null where the browser has no room for so much. */
function sharedMemory() {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: PAGES, shared: true });
  } catch {
    return null;
  }
}

export class Threads {
  #helpers = [];
  #programs = new Map(); // by the form of the convolution
  memory;

  constructor() {
    const shared = count() > 1 ? sharedMemory() : null;
    this.memory = shared ?? new WebAssembly.Memory({ initial: 1 });
    const helpers = shared ? count() - 1 : 0;
    for (let i = 0; i < helpers; i++) {
      const worker = new Worker(new URL("./thread.js", import.meta.url), { type: "module" });
      const helper = { worker, done: null };
      worker.onmessage = () => helper.done();
      worker.postMessage({ memory: this.memory });
      this.#helpers.push(helper);
    }
  }

  /** A function that convolves, given the parameters of convolve.js by name, for features of that form. */
  convolution(form) {
    const shape = this.#helpers.length ? { ...form, shared: PAGES } : form;
    const key = JSON.stringify(form);
    if (!this.#programs.has(key)) this.#programs.set(key, convolution(this.memory, shape));
    const run = this.#programs.get(key);
    return this.#helpers.length ? (call) => this.#divided(run, shape, call) : run;
  }

  /** One part of the rows for each thread; this one has the first. */
  async #divided(run, form, call) {
    const each = Math.ceil(call.rows / (this.#helpers.length + 1));
    const part = (first) => ({
      ...call,
      rows: Math.min(each, call.rows - first),
      input: call.input + first * form.stride * call.row,
      output: call.output + first * call.outRow,
      skip: call.skip + first * call.outRow,
    });
    const others = this.#helpers
      .filter((_, i) => (i + 1) * each < call.rows)
      .map((helper, i) => {
        helper.worker.postMessage({ form, call: part((i + 1) * each) });
        return new Promise((resolve) => (helper.done = resolve));
      });
    run(part(0));
    await Promise.all(others);
  }

  /** End the helpers. */
  release() {
    for (const { worker } of this.#helpers) worker.terminate();
  }
}
