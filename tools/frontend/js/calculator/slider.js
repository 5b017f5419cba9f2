// A slider and two buttons under the box of the income; without them the box alone does.
const REACH = 200; // steps a finger can hit on a phone; higher incomes are typed

// An amount as the reader writes it: 1.385.000, in English 1,385,000.
export const written = (amount) => String(amount).replace(/\B(?=(\d{3})+$)/g, document.documentElement.lang === "en" ? "," : ".");
const read = (text) => Number(text.replace(/\D/g, ""));

// words: what the buttons are called. Answers what to call when the box has changed, and when the law has.
export function slideUnder(box, words) {
  let [least, by, most] = [0, 1, 0];
  const slider = Object.assign(document.createElement("input"), { type: "range", className: "slider" });
  slider.setAttribute("aria-label", box.labels[0]?.textContent.trim() ?? "");
  const follow = () => {
    slider.value = read(box.value);
    slider.setAttribute("aria-valuetext", `${box.value} đ`);
  };
  const choose = (amount) => {
    box.value = written(Math.min(most, Math.max(least, amount)));
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const button = (name, sign, change) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "calc-step", textContent: sign });
    made.setAttribute("aria-label", name);
    made.addEventListener("click", () => choose(least + (Math.round((read(box.value) - least) / by) + change) * by));
    return made;
  };
  slider.addEventListener("input", () => choose(Number(slider.value)));
  const row = Object.assign(document.createElement("div"), { className: "calc-slider" });
  row.append(button(words.less, "−", -1), slider, button(words.more, "+", 1));
  box.closest(".field").append(row);
  const limit = ({ floor, step, ceiling }) => {
    [least, by, most] = [floor, step, ceiling].map(Number);
    Object.assign(slider, { min: least, step: by, max: Math.min(most, least + REACH * by) });
    follow();
  };
  return { follow, limit };
}
