// While the page is printed, solutions that are folded are open and all pictures are there.
(() => {
  const opened = new Set();
  addEventListener("beforeprint", () => {
    for (const picture of document.querySelectorAll("img[loading=lazy]")) picture.loading = "eager";
    for (const folded of document.querySelectorAll(".bd-article details.sd-dropdown:not([open])")) {
      folded.open = true;
      opened.add(folded);
    }
  });
  addEventListener("afterprint", () => {
    for (const folded of opened) folded.open = false;
    opened.clear();
  });
})();
