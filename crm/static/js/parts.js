// Choices that stand in groups named after the choices of another field (data-parts-of) follow that field: only the group
// of what is chosen there is offered. Without this file all groups are there, each under its name.
export function followParts(root) {
  for (const parts of root.querySelectorAll("select[data-parts-of]")) {
    const whole = parts.form?.elements[parts.dataset.partsOf];
    if (!whole) continue;
    const groups = [...parts.querySelectorAll("optgroup")];
    const follow = () => {
      const chosen = whole.value && whole.selectedOptions[0]?.text;
      const kept = parts.value;
      for (const group of groups) group.remove();
      parts.append(...groups.filter((group) => !chosen || !group.label || group.label === chosen));
      parts.value = kept;
      if (parts.selectedIndex < 0) parts.selectedIndex = 0;
    };
    whole.addEventListener("change", follow);
    follow();
  }
}
