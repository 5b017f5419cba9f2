// A slider under a number box; without this script the box alone does.
const REACH = 200; // steps a finger can hit on a phone; higher incomes are typed

const written = (amount) => String(amount).replace(/\B(?=(\d{3})+$)/g, ".");
const read = (text) => Number(text.replace(/\D/g, ""));

for (const box of document.querySelectorAll("input[data-slider]")) {
  const [least, step, most] = ["min", "step", "max"].map((name) => Number(box.dataset[name]));
  const slider = Object.assign(document.createElement("input"), { type: "range", className: "slider" });
  slider.setAttribute("aria-label", box.labels[0]?.textContent.trim() ?? "");
  Object.assign(slider, { min: least, step, max: Math.min(most, least + REACH * step) });
  slider.value = read(box.value);
  slider.addEventListener("input", () => {
    box.value = written(slider.value);
    slider.setAttribute("aria-valuetext", `${box.value} đ`);
  });
  slider.addEventListener("change", () => box.form.requestSubmit());
  box.addEventListener("input", () => {
    slider.value = read(box.value);
  });
  box.closest(".field").append(slider);
}
