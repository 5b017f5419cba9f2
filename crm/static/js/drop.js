// A file dropped on the box is put into its file input.
export function acceptDrops(root) {
  for (const box of root.querySelectorAll("[data-drop]")) {
    const input = box.querySelector("input[type=file]");
    const mark = (over) => (event) => {
      event.preventDefault();
      box.classList.toggle("drop-over", over);
    };
    box.addEventListener("dragover", mark(true));
    box.addEventListener("dragleave", mark(false));
    box.addEventListener("drop", (event) => {
      mark(false)(event);
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}
