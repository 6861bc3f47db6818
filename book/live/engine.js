// A network in a worker, as a function that returns a promise.

export class Engine {
  #worker = null;
  #waiting = new Map();
  #count = 0;
  model = null;

  /** Whether this browser can run a network at all. */
  static get possible() {
    return typeof WebAssembly === "object" && typeof Worker === "function";
  }

  /** Whether a network was loaded already, and with it the runtime. */
  get started() {
    return this.model !== null;
  }

  /** Load a model of the manifest; onProgress gets the share of its file that is there, 0 to 1. */
  async load(model, onProgress = () => {}) {
    if (!this.#worker) {
      this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
      this.#worker.onmessage = ({ data }) => this.#answer(data);
      this.#worker.onerror = (event) => this.#fail(event.message || "the worker did not start");
    }
    this.model = null;
    await this.#ask({ load: new URL(model.file, import.meta.url).href }, [], onProgress);
    this.model = model;
  }

  /** image: Float32Array of [1, 3, height, width]; omega: numbers. Gives {output, shape, ms}. */
  run(image, height, width, omega) {
    const sent = Float32Array.from(image);
    const shape = [1, 3, height, width];
    return this.#ask({ image: sent, shape, omega: Float32Array.from(omega) }, [sent.buffer]);
  }

  #ask(message, transfer, onProgress) {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onProgress });
      this.#worker.postMessage({ id, ...message }, transfer);
    });
  }

  #answer({ id, progress, error, ...result }) {
    const { resolve, reject, onProgress } = this.#waiting.get(id);
    if (progress !== undefined) return onProgress?.(progress);
    this.#waiting.delete(id);
    error ? reject(new Error(error)) : resolve(result);
  }

  #fail(reason) {
    for (const { reject } of this.#waiting.values()) reject(new Error(reason));
    this.#waiting.clear();
    this.#worker = null;
  }
}
