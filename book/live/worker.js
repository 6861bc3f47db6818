// The network, away from the page: what it computes never makes the page wait.
// Messages in: {id, start}, {id, load}, {id, degrade, how} or {id, image, shape, omega};
// out: {id, got: bytes} any number of times, then {id, ...} or {id, error}.
import { degraded } from "./pictures.js";

const here = (file) => new URL(file, import.meta.url).href;
const SCRIPTS = { wasm: "./runtime/ort.wasm.min.mjs", webgpu: "./runtime/ort.jspi.min.mjs" };

let ort = null;
let session = null;
let provider = null;

async function fetched(file, id) {
  const response = await fetch(here(file));
  if (!response.ok) throw new Error(`${file} answered ${response.status}`);
  const count = new TransformStream({
    transform(part, out) {
      postMessage({ id, got: part.length });
      out.enqueue(part);
    },
  });
  return response.body.pipeThrough(count);
}

/** Get the program that runs networks on a device, "wasm" or "webgpu"; file: its large part, packed. */
async function start({ device, file }, id) {
  ort = await import(SCRIPTS[device]);
  const packed = await fetched(file, id);
  const program = packed.pipeThrough(new DecompressionStream("gzip"));
  ort.env.wasm.wasmBinary = await new Response(program).arrayBuffer();
  ort.env.wasm.wasmPaths = here("./runtime/");
  ort.env.wasm.numThreads = 1; // more would need headers that a plain server does not send
  ort.env.logLevel = "error";
  provider = device;
  return {};
}

async function load(file, id) {
  const bytes = new Uint8Array(await new Response(await fetched(file, id)).arrayBuffer());
  await session?.release();
  session = await ort.InferenceSession.create(bytes, { executionProviders: [provider] });
  return {};
}

async function run({ image, shape, omega }) {
  const began = performance.now();
  const { output } = await session.run({
    image: new ort.Tensor("float32", image, shape),
    omega: new ort.Tensor("float32", omega, [omega.length]),
  });
  const [height, width] = output.dims.slice(2);
  return { data: output.data, height, width, ms: performance.now() - began };
}

function answer(message) {
  if (message.start) return start(message.start, message.id);
  if (message.load) return load(message.load, message.id);
  return message.degrade ? degraded(message.degrade, message.how) : run(message);
}

let last = Promise.resolve(); // one thing at a time, in the order of the messages

onmessage = ({ data: message }) => {
  last = last.then(async () => {
    try {
      const result = await answer(message);
      postMessage({ id: message.id, ...result }, result.data ? [result.data.buffer] : []);
    } catch (error) {
      postMessage({ id: message.id, error: String(error.message ?? error) });
    }
  });
};
