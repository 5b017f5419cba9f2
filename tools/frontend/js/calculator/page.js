// The page while one moves the slider: works the answer out at once and puts it where the server put its own.
import { fill } from "./fill.js";
import { keepOnPhone, readLaw } from "./keeping.js";
import { Law, Refusal } from "./law.js";
import { share } from "./sharing.js";
import { refused, sheet, writer } from "./sheet.js";
import { slideUnder, written } from "./slider.js";
import { tell } from "./tell.js";
import { readAsked, withoutThePerson } from "./asked.js";

const QUIET = 900; // milliseconds without a change before a screen reader is told

export async function start(document) {
  const root = document.querySelector("#calculator");
  if (!root) return;
  const form = root.querySelector("form");
  if (root.dataset.around === undefined) keepOnPhone(root.dataset.worker, root.dataset.scope, {
    works: () => show(document, "[data-works]"),
    onlyOnline: () => show(document, "[data-only-online]"),
  });
  let known;
  try {
    known = await readLaw(root.dataset.law);
  } catch {
    return; // without the law the form goes to the server, as without this script
  }
  const page = new Page(document, root, form, known);
  if (root.dataset.kept !== undefined) page.answerFrom(new URLSearchParams(location.search));
  window.addEventListener("online", async () => page.learn(await readLaw(root.dataset.law)));
}

const show = (document, place) => document.querySelectorAll(place).forEach((one) => (one.hidden = false));

class Page {
  #law;
  #day;
  #waiting;

  constructor(document, root, form, known) {
    Object.assign(this, { document, root, form });
    document.documentElement.classList.add("js");
    const { words } = known.told;
    this.slider = slideUnder(form.elements.income, words.buttons);
    this.take(known);
    this.pass = share(document.body, root.dataset.address, words.buttons);
    form.addEventListener("input", () => this.answer({ chosen: true }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.answer({ chosen: true });
    });
    document.addEventListener("click", (event) => {
      const choice = event.target.closest("[data-rows] a");
      if (!choice || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.answerFrom(new URLSearchParams(choice.search), { chosen: true });
      root.scrollIntoView();
    });
  }

  // Of somebody on record the page says within which places they live, and passes nothing on that is of them.
  take({ told, day, kept }) {
    const { around } = this.root.dataset;
    this.ofSomebody = around !== undefined;
    if (around && this.form.elements.place) told.wards[this.form.elements.place.value] = around.split(" ");
    this.#law = new Law(told);
    this.#day = day;
    this.kept = kept;
    const write = writer(told.words);
    const now = this.#law.on(day);
    this.slider.limit(now);
    for (const place of this.root.querySelectorAll("[data-limit]")) place.textContent = write.vnd(now[place.dataset.limit]);
    this.document.querySelectorAll("[data-law-day]").forEach((one) => (one.textContent = write.day(told.today)));
    this.document.querySelectorAll("[data-today]").forEach((one) => (one.textContent = write.day(day)));
    this.document.querySelectorAll("[data-offline]").forEach((one) => (one.hidden = !kept));
  }

  // The law again, when the network is back: another law may give another answer.
  learn(known) {
    this.take(known);
    this.answer();
  }

  answerFrom(query, how = {}) {
    for (const [name, value] of query) {
      const field = this.form.elements[name];
      if (field && name !== "ground") field.value = value;
    }
    if (query.has("ground"))
      for (const box of this.form.elements.ground) box.checked = query.getAll("ground").includes(box.value);
    const income = query.get("income") ?? String(this.#law.on(this.#day).floor);
    this.form.elements.income.value = written(income);
    this.answer(how);
  }

  // chosen: somebody has answered, so the address is theirs from now on.
  answer({ chosen = false } = {}) {
    this.slider.follow();
    const { words } = this.#law.told;
    this.root.querySelectorAll("[data-wrong]").forEach((one) => one.remove());
    this.form.querySelectorAll(".field-wrong").forEach((one) => one.classList.remove("field-wrong"));
    this.form.querySelectorAll(".field-error").forEach((one) => one.remove());
    this.document.querySelector(".error-summary")?.remove();
    try {
      const boxes = new FormData(this.form);
      const asked = readAsked(this.#law, { ...Object.fromEntries(boxes), ground: boxes.getAll("ground") });
      const told = tell(this.#law, asked, this.#day);
      const shown = sheet(this.#law, told, this.ofSomebody ? withoutThePerson(asked) : asked);
      fill(this.document, shown);
      this.answered(true);
      this.pass(shown.texts, this.kept);
      if (chosen) history.replaceState(null, "", `?${shown.texts.personal || shown.texts.shared}`);
      this.say(`${words.sentences.i_pay} ${shown.texts.a_month} ${words.sentences.a_month}. ${shown.texts.at_once}`);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      const sentence = refused(refusal, words);
      this.answered(false);
      this.blame(refusal.field, sentence);
      this.say(sentence);
    }
  }

  answered(yes) {
    this.document.querySelectorAll("[data-answered]").forEach((one) => (one.hidden = !yes));
    this.document.querySelectorAll("[data-refused]").forEach((one) => (one.hidden = yes));
  }

  // What is wrong stands at its field, as the server would put it.
  blame(name, sentence) {
    const field = this.form.elements[name] ?? this.form.elements.income;
    const box = field.closest(".field");
    const told = Object.assign(this.document.createElement("p"), { className: "field-error", textContent: sentence });
    told.dataset.wrong = "";
    box.classList.add("field-wrong");
    box.querySelector("input, select").closest(".affix, .input")?.before(told);
  }

  // Once one has come to rest, and only then.
  say(sentence) {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => {
      this.document.querySelector("[data-status]").textContent = sentence.trim();
    }, QUIET);
  }
}
