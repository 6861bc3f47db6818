// Boxes that scroll can be reached by keyboard, and a table that scrolls says so. All boxes are checked again
// when one of them or its content changes size: a fold opens, a font is loaded, the window is resized.
document.addEventListener("DOMContentLoaded", () => {
  const tables = ".output, .records, .result-block, .pst-scrollable-table-container";
  const scrolls = `pre, div.math > span:not(.eqno), .filmstrip, ${tables}`;
  const boxes = [...document.querySelectorAll(`.bd-article :is(${scrolls})`)];
  const reach = () => {
    for (const box of boxes) {
      const across = box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX !== "visible";
      const down = box.tagName === "PRE" && box.scrollHeight > box.clientHeight;
      if (across || down) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
      box.classList.toggle("scrolls", across && box.matches(tables) && box.querySelector("table") !== null);
    }
  };
  const sizes = new ResizeObserver(reach);
  for (const box of boxes) for (const part of [box, ...box.children]) sizes.observe(part);
  window.addEventListener("load", reach);
});

// Tables of the class "sortable": a click, or Enter, on a heading sorts the rows by that column.
document.addEventListener("DOMContentLoaded", () => {
  const compare = (a, b) => {
    const [x, y] = [parseFloat(a), parseFloat(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const headings = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    headings.forEach((heading, column) => {
      if (!heading.textContent.trim()) return; // a corner without words would be a button without a name
      const button = document.createElement("button");
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const down = heading.getAttribute("aria-sort") !== "descending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const text = (row) => row.cells[column].textContent.trim();
        const rows = [...body.rows].sort((a, b) => compare(text(a), text(b)));
        body.append(...(down ? rows.reverse() : rows));
      });
    });
  }
});
