// The parts of the page. On the home page (data-page="home") only the picture, its dials and its numbers.

const stage = (under) => `
  <div>
    <div class="live-stage" data-live="stage" style="--wipe: 25%">
      <canvas data-live="after" width="128" height="128" role="img" aria-label="Output of the network"></canvas>
      <canvas data-live="before" width="128" height="128" role="img" aria-label="Input of the network"></canvas>
      <span class="live-tag live-in" aria-hidden="true">input</span>
      <span class="live-tag live-out" aria-hidden="true">output</span>
      <span class="live-cursor" data-live="cursor" hidden></span>
    </div>
    <p class="live-numbers" data-live="numbers"></p>
    ${under}
    <label class="live-wipe"><span>Share of the input that is shown</span>
      <input type="range" min="0" max="1" step="0.01" data-live="wipe" aria-label="Position of the line between input and output">
    </label>
  </div>`;

const brush = `
  <fieldset data-live="brush" class="live-brush" hidden>
    <legend>Brush</legend>
    <label><input type="checkbox" data-live="brush-on"> paint another position of the dial onto the picture</label>
    <div data-live="brush-parts" hidden>
      <label>Dial under the brush <input type="range" min="0" max="1" step="0.01" value="0" data-live="brush-dial"></label>
      <label>Size of the brush <input type="range" min="2" max="48" step="1" value="16" data-live="brush-size"></label>
      <button type="button" data-live="undo" disabled>Undo</button>
      <button type="button" data-live="clear" disabled>Remove all paint</button>
      <p>Paint with the pointer; the wheel or the keys [ and ] change the size. By keyboard: focus the
      picture, move with the arrows, paint with the space bar, undo with Ctrl-Z.</p>
    </div>
  </fieldset>`;

const sliders = '<div data-live="sliders"></div>';

const controls = (above, more) => `
  <div>
    ${above}
    <canvas data-live="triangle" class="live-triangle" width="220" height="200" hidden
      role="img" aria-label="A triangle with the three paintings as corners; it moves the three sliders above"></canvas>
    <svg data-live="curve" class="live-curve" viewBox="0 0 260 130" width="260" height="130" role="img"
      aria-label="The kept fraction of the noise along the dial, and the current position" hidden></svg>
    <p><span data-live="omega"></span> <span data-live="time"></span></p>
    ${more}
    <fieldset data-live="devices" hidden><legend>Runs on the</legend></fieldset>
    <button type="button" data-live="run" hidden>Run the network here</button>
    <progress data-live="progress" max="1" value="0" aria-label="Progress" hidden></progress>
    <p data-live="status" role="status" aria-live="polite">Setting up.</p>
  </div>`;

const photographs = `
  <fieldset data-live="images"><legend>Photograph</legend></fieldset>
  <p>
    <label class="live-file">Your own photograph<input type="file" accept="image/*" data-live="file"></label>
    <button type="button" data-live="whole" disabled>The whole photograph</button>
    <button type="button" data-live="stop" hidden>Stop</button>
    <button type="button" data-live="download">Save the result</button>
    <button type="button" data-live="copy">Copy the address of this view</button>
  </p>
  <p data-live="why" class="live-why"></p>
  <p>You can also drop or paste a photograph here. The sliders apply to a square of it. It stays in your browser and is
  sent nowhere. The network <em>Your photographs</em> is the one for the noise of cameras.</p>`;

const inside = `
  <details data-live="inside" class="live-inside" open>
    <summary>Inside the network</summary>
    <p>Every layer mixes its kernels with its own weights α, which follow the dials. So each mixed kernel moves along a
    straight line. Blue numbers are negative, orange numbers positive.</p>
    <svg data-live="alphas" class="live-curve" viewBox="0 0 300 130" width="300" height="130" role="img"
      aria-label="The weights of the kernels in every layer at the current dials"></svg>
    <svg data-live="kernel" class="live-curve" viewBox="0 0 300 130" width="300" height="130" role="img"
      aria-label="Nine numbers of one kernel with the first dial at 0, at its current position, and at 1"></svg>
  </details>`;

const compared = (open) => `
  <details data-live="methods" class="live-methods" ${open} hidden>
    <summary>Other methods at the same position of the dial</summary>
    <div data-live="method-pictures"></div>
  </details>`;

/** Fill the root of the page. */
export function build(root) {
  const home = root.dataset.page === "home";
  const main = home
    ? `<div class="live-main">${stage(sliders)}${controls("", "")}</div>${compared("open")}`
    : `<div class="live-main">${stage("")}${controls(sliders, brush)}</div>`;
  root.insertAdjacentHTML(
    "afterbegin",
    home
      ? `${main}<p hidden data-live="says"></p>`
      : `<fieldset data-live="models"><legend>Network</legend></fieldset>
         <p data-live="says"></p>${main}${photographs}${inside}${compared("")}`,
  );
}
