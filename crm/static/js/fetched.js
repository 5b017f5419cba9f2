// A link with data-fetch-sheet shows the form of the page it leads to in a sheet, fetched when it is first asked for.
// Without this file the link opens that page.
export function fetchSheets(root) {
  for (const link of root.querySelectorAll("a[data-fetch-sheet]")) {
    let sheet = null;
    link.addEventListener("click", async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || !window.HTMLDialogElement) return;
      event.preventDefault();
      try {
        sheet = sheet || (await fetched(link));
      } catch {
        window.location.assign(link.href);
        return;
      }
      sheet.showModal();
    });
  }
}

async function fetched(link) {
  const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const form = page.querySelector("main form");
  if (!form) throw new Error("no form");
  const sheet = document.createElement("dialog");
  sheet.className = "sheet sheet-wide";
  const head = document.createElement("div");
  head.className = "sheet-head";
  const title = document.createElement("h2");
  title.id = "fetched-sheet-title";
  title.textContent = page.querySelector("h1").textContent;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "sheet-close";
  close.setAttribute("aria-label", link.dataset.fetchSheet);
  close.textContent = "×";
  close.addEventListener("click", () => sheet.close());
  head.append(title, close);
  sheet.setAttribute("aria-labelledby", title.id);
  sheet.append(head, document.adoptNode(form));
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
  sheet.addEventListener("close", () => link.focus());
  document.body.append(sheet);
  return sheet;
}
