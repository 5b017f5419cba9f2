// A link with data-sheet="#id" opens that <dialog> in place; without this file it leads to the same form as a page.
export function openSheets(root) {
  for (const link of root.querySelectorAll("a[data-sheet]")) {
    const sheet = root.querySelector(link.dataset.sheet);
    if (!sheet?.showModal) continue;
    link.setAttribute("aria-haspopup", "dialog");
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      sheet.showModal();
    });
    sheet.addEventListener("click", (event) => {
      if (event.target === sheet || event.target.closest("[data-close]")) sheet.close();
    });
    sheet.addEventListener("close", () => link.focus());
  }
}
