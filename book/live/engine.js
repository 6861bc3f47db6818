// A network in a worker, as functions that return promises.

/** Whether a model of the manifest runs without ONNX Runtime: on the processor, by resnet.js. */
const alone = (model, device) => device === "wasm" && Boolean(model.weights);

export class Engine {
  #worker = null;
  #opened = null; // the device that the worker is for
  #started = false; // ONNX Runtime, in this worker
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

  /** Bytes that are to be loaded before a model runs on a device; runtime: {file, bytes}, where it needs it. */
  needs(model, device, runtime) {
    if (alone(model, device)) return model.weights.bytes;
    return model.bytes + (this.#started && device === this.#opened ? 0 : runtime.bytes);
  }

  /** Load a model of the manifest, and before it, once and where it needs it, the runtime of that device.
   *  onProgress gets the share that is there, 0 to 1. */
  async load(model, device, runtime, onProgress = () => {}) {
    const total = this.needs(model, device, runtime);
    let got = 0;
    const tell = (bytes) => onProgress(Math.min(1, (got += bytes) / total));
    this.model = null;
    if (device !== this.#opened) this.#open(device);
    if (alone(model, device)) {
      await this.#ask({ weights: model.weights.file, form: model.form }, [], tell);
    } else {
      if (!this.#started) await this.#ask({ start: { device, file: runtime.file } }, [], tell);
      this.#started = true;
      await this.#ask({ load: model.file }, [], tell);
    }
    [this.model, this.device] = [model, device];
  }

  /** Run the network on a picture at omega, numbers; mapped: omega is a map [p, height, width] of them.
   *  Gives {data, height, width, ms}. */
  run({ data, height, width }, omega, mapped = false) {
    const image = Float32Array.from(data);
    const dials = mapped ? [1, omega.length / (height * width), height, width] : [omega.length];
    const message = { image, shape: [1, 3, height, width], omega: Float32Array.from(omega), dials };
    return this.#ask(message, [image.buffer]);
  }

  /** degraded() of pictures.js, for large pictures. */
  degraded(picture, how) {
    return this.#ask({ degrade: picture, how });
  }

  #open(device) {
    this.#fail("another network was chosen");
    this.#opened = device;
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
    [this.#opened, this.#started] = [null, false];
    for (const { reject } of this.#waiting.values()) reject(new Error(reason));
    this.#waiting.clear();
  }
}
