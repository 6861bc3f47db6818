// Sets the formulas of a page, or of a part of it that came later (hover.js).
function setFormulas(part) {
  for (const formula of part.querySelectorAll(".math:not([data-set])")) {
    const [, open, tex] = /^\s*(\\\(|\\\[)([^]*?)(?:\\\)|\\\])\s*$/.exec(formula.lastChild?.textContent ?? "") || [];
    if (!tex) continue;
    const target = document.createElement("span");
    formula.lastChild.replaceWith(target);
    katex.render(tex, target, {
      displayMode: open === "\\[",
      macros: { "\\R": "\\mathbb{R}" },
      throwOnError: false,
    });
    formula.dataset.set = "";
  }
}

setFormulas(document); // deferred: the page is there
