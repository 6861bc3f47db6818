// Reads the file that the library saves a network in: safetensors, numbers of 16 or 32 bits.

/** The tensors of a file, {name: {shape, data}}, data as Float32Array. */
export function tensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const found = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const bytes = buffer.slice(...data_offsets.map((offset) => 8 + length + offset));
    found[name] = { shape, data: dtype === "F16" ? Float32Array.from(new Uint16Array(bytes), half) : new Float32Array(bytes) };
  }
  return found;
}

/** The number that 16 bits stand for; weights have no infinite ones. */
function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
  return bits & 0x8000 ? -size : size;
}
