// Puts an answer into the places that the server drew: texts by name, and the rows of tables.
export function fill(root, { texts, rows }) {
  for (const place of root.querySelectorAll("[data-text]")) place.textContent = texts[place.dataset.text] ?? "";
  for (const place of root.querySelectorAll("[data-when]")) place.hidden = !texts[place.dataset.when];
  draw(root, texts);
  for (const [name, lines] of Object.entries(rows)) {
    const table = root.querySelector(`[data-rows="${name}"]`);
    const pattern = table?.querySelector("[data-pattern]");
    table?.replaceChildren(...lines.map((line) => drawn(pattern, line)), pattern);
  }
}

// The picture: the points of its lines and the places of its labels.
function draw(root, texts) {
  for (const line of root.querySelectorAll("[data-points]"))
    line.setAttribute("points", texts[line.dataset.points] + ("closed" in line.dataset ? " 1000,1000" : ""));
  const place = (name, ...attributes) => {
    for (const part of root.querySelectorAll(`[data-${name}]`))
      for (const attribute of attributes) part.setAttribute(attribute, texts[part.dataset[name]] || "-10%");
  };
  place("x", "x1", "x2");
  place("at", "x");
  place("y", "y");
  place("cx", "cx");
  place("cy", "cy");
}

function drawn(pattern, { cells, query, here }) {
  const row = pattern.cloneNode(true);
  row.hidden = false;
  delete row.dataset.pattern;
  const places = row.matches("[data-cell]") ? [row] : row.querySelectorAll("[data-cell]");
  places.forEach((cell, i) => {
    cell.textContent = cells[i];
    if (cell.href && query) cell.href = `?${query}`;
  });
  row.classList.toggle("here", here);
  if (here) row.setAttribute("aria-current", "true");
  return row;
}
