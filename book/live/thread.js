// A thread that helps with a convolution, see threads.js. Messages in: {memory}, then {form, call}; out: nothing,
// when a call is done.
import { convolution } from "./convolve.js";

const programs = new Map();
let memory = null;

onmessage = ({ data }) => {
  if (data.memory) {
    memory = data.memory;
    return;
  }
  const key = JSON.stringify(data.form);
  if (!programs.has(key)) programs.set(key, convolution(memory, data.form));
  programs.get(key)(data.call);
  postMessage(null);
};
