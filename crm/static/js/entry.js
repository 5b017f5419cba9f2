// A paper list typed in: a digit chooses the outcome of a line and the next line follows; the arrows go up and down.
const lines = [...document.querySelectorAll("[data-entry]")];

lines.forEach((line, index) => {
  line.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const number = Number(event.key);
    if (event.key === "0" || event.key === "Backspace" || event.key === "Delete") line.selectedIndex = 0;
    else if (event.key === "Enter") lines[index + 1]?.focus();
    else if (/^[1-9]$/.test(event.key) && number < line.options.length) {
      line.selectedIndex = number;
      lines[index + 1]?.focus();
    } else return;
    event.preventDefault();
  });
});
