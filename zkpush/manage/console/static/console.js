// What the console does beyond forms and links: nothing here is needed to use it.
"use strict";

// The menu is open where there is room for it.
const wide = matchMedia("(min-width: 60rem)");
const menu = document.getElementById("menu");
if (menu) {
  const follow = () => { menu.open = wide.matches; };
  follow();
  wide.addEventListener("change", follow);
}

// Live parts are shared by all consoles, so they come without the token of this session.
const token = document.querySelector('meta[name="csrf"]');
const complete = () => {
  if (!token) return;
  for (const input of document.querySelectorAll('input[name="csrf"][value=""]')) {
    input.value = token.content;
  }
};
document.addEventListener("htmx:afterSettle", complete);
document.addEventListener("htmx:sseMessage", complete);
complete();

// Whether the page is live, in words for all and without an announcement each second.
const showLive = (isLive) => {
  for (const mark of document.querySelectorAll("[data-live]")) mark.hidden = !isLive;
  for (const mark of document.querySelectorAll("[data-not-live]")) mark.hidden = isLive;
};
document.addEventListener("htmx:sseOpen", () => showLive(true));
document.addEventListener("htmx:sseError", () => showLive(false));
document.addEventListener("htmx:sseClose", () => showLive(false));

// After a form with mistakes, the keyboard goes on there.
const mistakes = document.getElementById("mistakes");
if (mistakes) mistakes.focus();

// Text to copy, such as an address for the menu of a terminal.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button && navigator.clipboard) navigator.clipboard.writeText(button.dataset.copy);
});

// The first form proposes the time zone of the browser.
const zone = document.querySelector('form[action^="/console/welcome/"] select[name="zone"]');
if (zone && !zone.value) {
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone.value) zone.selectedIndex = 0;
}
