// The page where somebody registers a contribution: what it buys is told while they choose, and what they typed is
// looked at as soon as they leave the box. Without this script the form works the same, with a button to work it out.
const form = document.getElementById("give");
const box = form?.querySelector("[data-buys]");
const COUNTED = ["way", "people", "months", "amount", "frequency", "grounds"];
const CHECKED = ["email", "phone", "tax_code"];
const PATIENCE = 250;

if (form && box) {
  let waiting;
  let latest = 0;

  async function tell() {
    const turn = (latest += 1);
    const asked = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (COUNTED.includes(name)) asked.append(name, value);
    try {
      const answer = await fetch(`${box.dataset.buys}?${asked}`, { headers: { Accept: "application/json" } });
      if (answer.ok && turn === latest) box.innerHTML = (await answer.json()).html;
    } catch {
      // No line: what stands there is of the last choice, and sending the form works it out again.
    }
  }

  form.addEventListener("input", ({ target }) => {
    if (!COUNTED.includes(target.name)) return;
    const choice = target.closest(".give-choice");
    if (choice && target.type === "radio") for (const typed of choice.querySelectorAll("input.input")) typed.value = "";
    if (choice && target.type !== "radio" && target.value.trim()) for (const one of choice.querySelectorAll("input[type=radio]")) one.checked = false;
    clearTimeout(waiting);
    waiting = setTimeout(tell, PATIENCE);
  });

  form.addEventListener("focusout", async ({ target }) => {
    if (!CHECKED.includes(target.name)) return;
    const typed = target.value;
    const told = typed.trim() ? await check(target.name, typed) : "";
    if (told !== undefined && target.value === typed) say(target, told);
  });
}

async function check(name, typed) {
  try {
    const answer = await fetch(`/sponsor/check?${new URLSearchParams({ [name]: typed })}`);
    return answer.ok ? ((await answer.json())[name] ?? "") : undefined;
  } catch {
    return undefined;
  }
}

// The same markup as the server's, so that a mistake looks the same whenever it is found.
function say(field, words) {
  const whole = field.closest(".field");
  whole.querySelector(".field-error")?.remove();
  whole.classList.toggle("field-wrong", Boolean(words));
  const described = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && !id.endsWith("-error"));
  field.toggleAttribute("aria-invalid", Boolean(words));
  if (words) {
    field.setAttribute("aria-invalid", "true");
    const line = document.createElement("p");
    line.className = "field-error";
    line.id = `${field.id}-error`;
    line.setAttribute("role", "status");
    line.textContent = words;
    (field.closest(".affix") ?? field).before(line);
    described.push(line.id);
  }
  if (described.length) field.setAttribute("aria-describedby", described.join(" "));
  else field.removeAttribute("aria-describedby");
}
