// Puts an answer into the places that the server drew: texts by name, and the rows of tables.
export function fill(root, { texts, rows }) {
  for (const place of root.querySelectorAll("[data-text]")) place.textContent = texts[place.dataset.text] ?? "";
  for (const place of root.querySelectorAll("[data-when]")) place.hidden = !texts[place.dataset.when];
  for (const [name, lines] of Object.entries(rows)) {
    const table = root.querySelector(`[data-rows="${name}"]`);
    const pattern = table?.querySelector("[data-pattern]");
    table?.replaceChildren(...lines.map((line) => drawn(pattern, line)), pattern);
  }
}

function drawn(pattern, { cells, query, here }) {
  const row = pattern.cloneNode(true);
  row.hidden = false;
  delete row.dataset.pattern;
  row.querySelectorAll("[data-cell]").forEach((cell, i) => {
    cell.textContent = cells[i];
    if (cell.href && query) cell.href = `?${query}`;
  });
  row.classList.toggle("here", here);
  if (here) row.setAttribute("aria-current", "true");
  return row;
}
