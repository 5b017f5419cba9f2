// A text for many people: its places are put in by a tap, and how it reads and what it costs follows the typing; of a filter, how many
// people it finds. Without this file the same is told when the form is sent.
const PAUSE = 350;

export function helpTexting(root) {
  for (const row of root.querySelectorAll("[data-chips]")) putIn(row, document.getElementById(row.dataset.chips));
  for (const part of root.querySelectorAll("[data-wording]")) follow(part, part.dataset.wording, "[data-wording-here]", "POST");
  for (const part of root.querySelectorAll("[data-count]")) follow(part, part.dataset.count, "[data-count-here]", "GET");
  for (const choice of root.querySelectorAll("select[name=template]")) takeTemplate(choice);
}

function putIn(row, text) {
  for (const chip of row.querySelectorAll("[data-insert]"))
    chip.addEventListener("click", () => {
      text.setRangeText(chip.dataset.insert, text.selectionStart, text.selectionEnd, "end");
      text.focus();
      text.dispatchEvent(new Event("input", { bubbles: true }));
    });
}

function follow(part, address, place, method) {
  const form = part.closest("form");
  const here = part.querySelector(place);
  let waiting = null;
  let asked = 0;
  const ask = async () => {
    const mine = ++asked;
    const typed = new FormData(form);
    try {
      const answer =
        method === "POST"
          ? await fetch(address, { method, body: typed, headers: { Accept: "application/json" } })
          : await fetch(`${address}?${new URLSearchParams([...typed].filter(([name]) => name !== "csrf_token"))}`);
      if (!answer.ok || mine !== asked) return;
      const news = await answer.json();
      if (news.html) here.innerHTML = news.html;
      else if (news.problem) here.textContent = news.problem;
    } catch {
      // The network is away: what stands there stays.
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  });
}

// A chosen template shows its text; who writes another text leaves the template.
function takeTemplate(choice) {
  const text = choice.form.elements.text ?? choice.form.elements.words;
  const templates = [...choice.form.querySelectorAll("[data-template]")];
  choice.addEventListener("change", () => {
    const chosen = templates.find((one) => one.dataset.template === choice.value);
    if (chosen) text.value = chosen.textContent;
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
  text.addEventListener("input", () => {
    const chosen = templates.find((one) => one.dataset.template === choice.value);
    if (chosen && chosen.textContent !== text.value) choice.value = "";
  });
}
