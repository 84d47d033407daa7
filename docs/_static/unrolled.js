/* A formula that must be scrolled can be scrolled by keyboard. */
function reachable() {
  for (const formula of document.querySelectorAll(".katex-display")) {
    if (formula.scrollWidth > formula.clientWidth) {
      formula.tabIndex = 0;
    } else {
      formula.removeAttribute("tabindex");
    }
  }
}

document.fonts.ready.then(reachable);
window.addEventListener("resize", reachable);
