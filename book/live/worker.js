// The network, away from the page: what it computes never makes the page wait.
// Messages in: {id, weights, form} for a network of resnet.js, or {id, start} and {id, load} for ONNX Runtime;
// then {id, degrade, how} or {id, image, shape, omega, dials}; out: {id, got: bytes} any number of times, then
// {id, ...} or {id, error}.
import { degraded } from "./pictures.js";
import { ResNet } from "./resnet.js";
import { tensors } from "./tensors.js";

const here = (file) => new URL(file, import.meta.url).href;
const SCRIPTS = { wasm: "./runtime/ort.wasm.min.mjs", webgpu: "./runtime/ort.jspi.min.mjs" };

let ort = null;
let session = null; // of ONNX Runtime, or
let network = null; // a ResNet
let provider = null;

async function fetched(file, id) {
  let response;
  try {
    response = await fetch(here(file), { cache: "force-cache" }); // its name holds its digest
  } catch {
    throw new Error("The network could not be loaded: is this browser offline? Press the button again to retry.");
  }
  if (!response.ok) throw new Error(`The network could not be loaded: the server answered ${response.status} for ${file}.`);
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
  const { crossOriginIsolated, navigator } = globalThis; // headers that a plain server does not send, see isolate.js
  ort.env.wasm.numThreads = crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
  ort.env.logLevel = "error";
  provider = device;
  return {};
}

const whole = async (file, id) => new Response(await fetched(file, id)).arrayBuffer();

async function build({ weights, form }, id) {
  const made = new ResNet(form, tensors(await whole(weights, id)));
  await release();
  network = made;
  return {};
}

async function release() {
  await session?.release();
  network?.release();
  session = network = null;
}

async function load(file, id) {
  const bytes = new Uint8Array(await whole(file, id));
  await release();
  session = await ort.InferenceSession.create(bytes, { executionProviders: [provider] });
  return {};
}

async function run({ image, shape, omega, dials }) {
  const began = performance.now();
  if (network) {
    const result = await network.run({ data: image, height: shape[2], width: shape[3] }, [...omega]);
    return { ...result, ms: performance.now() - began };
  }
  const { output } = await session.run({
    image: new ort.Tensor("float32", image, shape),
    omega: new ort.Tensor("float32", omega, dials),
  });
  const [height, width] = output.dims.slice(2);
  return { data: output.data, height, width, ms: performance.now() - began };
}

function answer(message) {
  if (message.weights) return build(message, message.id);
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
