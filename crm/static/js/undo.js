// The undo bar leaves after twenty seconds, but never while someone points at it or stands on its button.
const STAY = 20_000;

export function fadeUndo(root) {
  for (const bar of root.querySelectorAll("[data-undo]")) {
    const leave = () => (bar.matches(":hover, :focus-within") ? setTimeout(leave, STAY) : bar.remove());
    setTimeout(leave, STAY);
  }
}
