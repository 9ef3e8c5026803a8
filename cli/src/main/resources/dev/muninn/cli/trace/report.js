"use strict";
const tokens = Array.from(document.querySelectorAll("details.token"));
const button = document.getElementById("all");
function openTarget() {
  const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
    target.querySelector("summary").focus({ preventScroll: true });
  }
}
button.hidden = false;
button.addEventListener("click", () => {
  const open = tokens.some((token) => !token.open);
  tokens.forEach((token) => { token.open = open; });
  button.textContent = open ? "Close all" : "Open all";
});
addEventListener("hashchange", openTarget);
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((details) => { details.open = true; });
});
openTarget();
