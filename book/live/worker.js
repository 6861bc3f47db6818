// The network, away from the page: what it computes never makes the page wait.
// Messages in: {id, load: url} or {id, image, shape, omega}; out: {id, ...} or {id, error}.
import * as ort from "./runtime/ort.wasm.min.mjs";

ort.env.wasm.wasmPaths = new URL("./runtime/", import.meta.url).href;
ort.env.wasm.numThreads = 1; // more would need headers that a plain server does not send

let session = null;

async function load(id, url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const total = Number(response.headers.get("Content-Length")) || 0;
  const parts = [];
  let got = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    got += value.length;
    postMessage({ id, progress: total ? Math.min(1, got / total) : 0 });
  }
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  await session?.release();
  session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
}

async function run(image, shape, omega) {
  const began = performance.now();
  const inputs = { image: new ort.Tensor("float32", image, shape) };
  inputs.omega = new ort.Tensor("float32", omega, [omega.length]);
  const { output } = await session.run(inputs);
  return { output: output.data, shape: output.dims, ms: performance.now() - began };
}

let last = Promise.resolve(); // one thing at a time, in the order of the messages

onmessage = ({ data: { id, load: url, image, shape, omega } }) => {
  last = last.then(async () => {
    try {
      const answer = url ? (await load(id, url), { loaded: true }) : await run(image, shape, omega);
      postMessage({ id, ...answer }, answer.output ? [answer.output.buffer] : []);
    } catch (error) {
      postMessage({ id, error: String(error.message ?? error) });
    }
  });
};
