// Menus made of <details> also close by Escape and by a click beside them.
export function closeMenus(root) {
  const open = () => root.querySelectorAll("details.menu[open], details.menu-more[open]");
  root.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
