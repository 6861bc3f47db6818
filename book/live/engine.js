// A network in a worker, as functions that return promises.

export class Engine {
  #worker = null;
  #waiting = new Map();
  #count = 0;
  /** The model that is loaded, and where it runs: "wasm" or "webgpu". */
  model = null;
  device = null;

  /** Where this browser can run a network, the best first: none, "wasm", or "webgpu" too. */
  static async devices() {
    if (typeof WebAssembly !== "object" || typeof Worker !== "function") return [];
    const adapter = "Suspending" in WebAssembly && (await navigator.gpu?.requestAdapter());
    if (!adapter) return ["wasm"];
    const slow = adapter.info?.isFallbackAdapter || adapter.info?.architecture === "swiftshader";
    return slow ? ["wasm", "webgpu"] : ["webgpu", "wasm"];
  }

  /** Load a model of the manifest, and before it the runtime of that device, {file, bytes}, once.
   *  onProgress gets the share that is there, 0 to 1. */
  async load(model, device, runtime, onProgress = () => {}) {
    const fresh = device !== this.device;
    const total = model.bytes + (fresh ? runtime.bytes : 0);
    let got = 0;
    const tell = (bytes) => onProgress(Math.min(1, (got += bytes) / total));
    this.model = null;
    if (fresh) {
      this.#open();
      await this.#ask({ start: { device, file: runtime.file } }, [], tell);
      this.device = device;
    }
    await this.#ask({ load: model.file }, [], tell);
    this.model = model;
  }

  /** Run the network on a picture at omega, numbers. Gives {data, height, width, ms}. */
  run({ data, height, width }, omega) {
    const image = Float32Array.from(data);
    const message = { image, shape: [1, 3, height, width], omega: Float32Array.from(omega) };
    return this.#ask(message, [image.buffer]);
  }

  /** degraded() of pictures.js, for large pictures. */
  degraded(picture, how) {
    return this.#ask({ degrade: picture, how });
  }

  #open() {
    this.#fail("another one was asked for");
    const worker = (this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" }));
    worker.onmessage = ({ data }) => this.#answer(data);
    worker.onerror = (event) => this.#fail(event.message || "the worker did not start");
  }

  #ask(message, transfer = [], onBytes = null) {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onBytes });
      this.#worker.postMessage({ id, ...message }, transfer);
    });
  }

  #answer({ id, got, error, ...result }) {
    const { resolve, reject, onBytes } = this.#waiting.get(id);
    if (got !== undefined) return onBytes(got);
    this.#waiting.delete(id);
    error ? reject(new Error(error)) : resolve(result);
  }

  #fail(reason) {
    this.#worker?.terminate();
    [this.#worker, this.model, this.device] = [null, null, null];
    for (const { reject } of this.#waiting.values()) reject(new Error(reason));
    this.#waiting.clear();
  }
}
