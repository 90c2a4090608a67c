"use strict";
// A form that is on its way can't be sent a second time; one that came back with a problem can.
const release = (form) => {
  delete form.dataset.sent;
  form.querySelector("button:not([type=button])")?.removeAttribute("aria-busy");
};
document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("button:not([type=button])");
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
  setTimeout(() => release(event.target), 3000);
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("form");
  if (form && !event.detail.xhr?.getResponseHeader("HX-Redirect")) release(form);
});
// On a phone the navigation is wider than the window: it begins where one is.
document.querySelector(".top [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
