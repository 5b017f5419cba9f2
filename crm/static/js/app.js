// What makes the pages quicker to use. Everything here is an addition: each page works without it.
import { followProgress } from "./progress.js";
import { fetchSheets } from "./fetched.js";
import { openSheets } from "./sheet.js";
import { closeMenus } from "./menu.js";
import { acceptDrops } from "./drop.js";
import { fadeUndo } from "./undo.js";
import { offerCopies } from "./copying.js";
import { followParts } from "./parts.js";
import { helpTexting } from "./texting.js";
import { keepVisits } from "./outbox.js";

document.documentElement.classList.add("js");
document.querySelector("[data-focus]")?.focus();
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
if (matchMedia("(max-width: 47.99rem)").matches) document.querySelectorAll("[data-fold-on-phone]").forEach((one) => (one.open = false));
addEventListener("beforeprint", () => document.querySelectorAll("[data-open-in-print]").forEach((one) => (one.open = true)));
for (const here of document.querySelectorAll(".tabs [aria-current]")) {
  const bar = here.closest(".tabs");
  bar.scrollLeft = here.offsetLeft - bar.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
}
for (const here of document.querySelectorAll(".side nav [aria-current]")) {
  const menu = here.closest("nav").getBoundingClientRect();
  const place = here.getBoundingClientRect();
  if (place.bottom > menu.bottom) here.closest("nav").scrollTop += place.bottom - menu.bottom + menu.height / 3;
}
followProgress(document);
openSheets(document);
fetchSheets(document);
closeMenus(document);
acceptDrops(document);
fadeUndo(document);
offerCopies(document);
followParts(document);
helpTexting(document);
keepVisits(document);
