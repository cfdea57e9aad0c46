// Shows whether the page is being kept up to date: a control room must not mistake a lost connection for a quiet night.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const sign = document.getElementById("live");
  if (!sign) return;
  const show = (on) => {
    sign.hidden = false;
    sign.classList.toggle("off", !on);
    sign.lastElementChild.textContent = on ? sign.dataset.on : sign.dataset.off;
  };
  document.body.addEventListener("htmx:sseOpen", () => show(true));
  document.body.addEventListener("htmx:sseError", () => show(false));
  document.body.addEventListener("htmx:sendError", () => show(false));
  document.body.addEventListener("htmx:responseError", () => show(false));
});
