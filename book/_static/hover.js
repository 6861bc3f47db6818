// The figure, table or equation of another page that a link refers to, while pointer or keyboard rests on it.
(() => {
  const DELAY = 250; // milliseconds
  const pages = new Map();
  let shown = null;
  let waiting = 0;

  function page(address) {
    if (!pages.has(address)) {
      const read = fetch(address).then((answer) => {
        if (!answer.ok) throw new Error(answer.status);
        return answer.text();
      });
      pages.set(address, read.then((text) => new DOMParser().parseFromString(text, "text/html")));
      read.catch(() => pages.delete(address)); // the next try asks again
    }
    return pages.get(address);
  }

  function part(found) {
    if (!found) return null;
    const whole = found.closest("figure, div.math") || found.querySelector("figure, div.math");
    return whole || (found.matches("figure, div.math, table") ? found : null);
  }

  function hide() {
    clearTimeout(waiting);
    waiting = 0;
    if (!shown) return;
    shown.link.removeAttribute("aria-describedby");
    shown.box.remove();
    shown = null;
  }

  async function show(link) {
    const address = new URL(link.href);
    const id = decodeURIComponent(address.hash.slice(1));
    address.hash = "";
    const found = part((await page(address.href)).getElementById(id));
    if (!found || waiting !== Number(link.dataset.waiting)) return;
    hide();
    const box = document.createElement("div");
    box.className = "hover-preview";
    box.id = "hover-preview";
    box.setAttribute("role", "tooltip");
    const copy = document.importNode(found, true);
    copy.querySelectorAll("a.headerlink, script, button").forEach((e) => e.remove());
    copy.querySelectorAll("[id]").forEach((e) => e.removeAttribute("id"));
    copy.removeAttribute("id");
    for (const picture of copy.querySelectorAll("img")) {
      picture.removeAttribute("srcset");
      picture.loading = "eager";
      picture.src = new URL(picture.getAttribute("src"), address.href).href;
    }
    box.append(copy);
    document.body.append(box);
    const at = link.getBoundingClientRect();
    const room = document.documentElement.clientWidth - box.offsetWidth - 8;
    box.style.left = `${window.scrollX + Math.max(8, Math.min(at.left, room))}px`;
    const below = at.bottom + box.offsetHeight + 12 < window.innerHeight || at.top < box.offsetHeight + 12;
    box.style.top = `${window.scrollY + (below ? at.bottom + 6 : at.top - box.offsetHeight - 6)}px`;
    link.setAttribute("aria-describedby", box.id);
    shown = { link, box };
    window.setFormulas?.(box);
  }

  function ready() {
    const here = location.href.split("#")[0];
    for (const link of document.querySelectorAll(".bd-article a[href*='.html#']")) {
      const elsewhere = new URL(link.href).origin !== location.origin;
      if (elsewhere || link.href.split("#")[0] === here || link.classList.contains("study-term")) continue;
      const start = () => {
        hide();
        waiting = setTimeout(() => show(link).catch(() => {}), DELAY);
        link.dataset.waiting = waiting;
      };
      link.addEventListener("mouseenter", start);
      link.addEventListener("focus", start);
      link.addEventListener("mouseleave", hide);
      link.addEventListener("blur", hide);
    }
    document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
