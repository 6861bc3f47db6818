// The numbers under the picture, as study/measuring/metrics.py defines them.

/** Mean squared difference of two pictures, from 0 to 1 clipped as files are. */
function difference(one, other) {
  const clip = (v) => Math.min(1, Math.max(0, v));
  let sum = 0;
  for (let i = 0; i < one.data.length; i++) sum += (clip(one.data[i]) - clip(other.data[i])) ** 2;
  return sum / one.data.length;
}

/** PSNR in dB of a picture of the clean one's size; null for another size. */
export function psnr(output, clean) {
  if (output.data.length !== clean.data.length) return null;
  return -10 * Math.log10(difference(output, clean));
}

/** The share of the noise that the output keeps: the slope of its error on the noise; null without noise. */
export function kept(output, clean, noisy) {
  if (output.data.length !== clean.data.length || noisy.data.length !== clean.data.length) return null;
  let [product, power] = [0, 0];
  for (let i = 0; i < clean.data.length; i++) {
    const noise = noisy.data[i] - clean.data[i];
    product += (output.data[i] - clean.data[i]) * noise;
    power += noise * noise;
  }
  return power ? product / power : null;
}

/** "PSNR 32.10 dB, kept fraction of the noise f = 0.43", of what is known. */
export function sentence(decibels, share) {
  const parts = [];
  if (Number.isFinite(decibels)) parts.push(`PSNR ${decibels.toFixed(2)} dB`);
  if (Number.isFinite(share)) parts.push(`kept fraction of the noise f = ${share.toFixed(2)}`);
  return parts.join(", ");
}
