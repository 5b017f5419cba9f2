// A visit that cannot be sent is kept on this phone and sent by itself when the network is back.
// Forms with data-outbox="YYYY-MM-DD" (the program's day) are sent from here; without this file they are forms like any other.
// What is kept names no one: the address it goes to, the answer, the day, and an id under which it arrives once however
// often it is sent. Whoever else signs in on the same phone neither sends nor sees it.
const KEY = "outbox";
const PATIENCE = 15_000;
const AGAIN = 60_000;
const DAY = 86_400_000;

const read = () => {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
};
const write = (entries) => localStorage.setItem(KEY, JSON.stringify(entries));
const dateHere = () => new Date().toLocaleDateString("sv");
const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / DAY);

export function keepVisits(root) {
  const badge = root.querySelector("#outbox[data-user]");
  if (!badge) return;
  const { user, token } = badge.dataset;
  const opened = dateHere();
  const mine = () => read().filter((entry) => entry.user === user);
  const without = (ids) => write(read().filter((entry) => !ids.includes(entry.client_id)));
  let sending = false;

  function tell() {
    const waiting = mine().filter((entry) => !entry.refused);
    badge.hidden = !waiting.length;
    badge.querySelector("[data-outbox-count]").textContent = String(waiting.length);
    for (const entry of mine()) for (const form of root.querySelectorAll("form[data-outbox]")) if (samePlace(form, entry)) kept(form, entry);
  }

  // A card or page whose visit is kept says so, and takes no second one.
  function kept(form, entry) {
    const sheet = form.closest("dialog");
    sheet?.close();
    const link = sheet && root.querySelector(`a[data-sheet="#${sheet.id}"]`);
    const place = link ? link.closest(".task-acts") : form;
    const told = place?.parentElement.querySelector(":scope > .outbox-kept") ?? told_of(entry);
    if (!told.isConnected) place?.before(told);
    if (!entry.refused) (link ?? form).hidden = true;
  }

  function told_of(entry) {
    const told = root.querySelector(entry.refused ? "#outbox-refused" : "#outbox-kept").content.firstElementChild.cloneNode(true);
    const word = told.querySelector("[data-answer]");
    if (word) word.textContent = entry.word;
    const again = told.querySelector("a");
    if (again) again.href = entry.action;
    return told;
  }

  async function send(entry) {
    const body = new URLSearchParams({ csrf_token: token, client_id: entry.client_id, outcome: entry.outcome });
    if (entry.channel) body.set("channel", entry.channel);
    if (entry.chosen || entry.kept !== dateHere()) body.set("occurred_on", entry.day);
    const answer = await fetch(entry.action, { method: "POST", body, headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE) });
    if (answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status));
    return answer;
  }

  const isOurs = (answer) => answer.headers.get("content-type")?.startsWith("application/json");

  async function sendAll() {
    if (sending || !navigator.onLine) return;
    sending = true;
    const sent = [];
    try {
      for (const entry of mine().filter((one) => !one.refused)) {
        const answer = await send(entry);
        if (answer.ok && isOurs(answer)) sent.push(entry.client_id);
        else if (answer.status === 404 || answer.status === 409 || answer.status === 422) refuse(entry);
      }
    } catch {
      // the network is gone again: what is left waits
    } finally {
      sending = false;
      without(sent);
      tell();
      warn();
    }
    if (sent.length && root.querySelector("form[data-outbox]") && !root.querySelector("dialog[open]")) location.reload();
  }

  function refuse(entry) {
    write(read().map((one) => (one.client_id === entry.client_id ? { ...one, refused: true } : one)));
  }

  // What was not taken stands on every page until it was looked at: the page of the visit says why when it is logged again.
  function warn() {
    for (const old of root.querySelectorAll(".outbox-refused")) old.remove();
    for (const entry of mine().filter((one) => one.refused)) {
      const told = told_of(entry);
      told.querySelector("button").addEventListener("click", () => {
        without([entry.client_id]);
        told.remove();
      });
      root.querySelector("main").prepend(told);
    }
  }

  root.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-outbox]") || !event.submitter?.value) return;
    event.preventDefault();
    const said = new FormData(form, event.submitter);
    const chosen = said.get("occurred_on");
    const entry = {
      user,
      action: new URL(form.action).pathname,
      client_id: said.get("client_id"),
      outcome: said.get("outcome"),
      channel: said.get("channel"),
      word: event.submitter.textContent.trim(),
      kept: dateHere(),
      chosen: Boolean(chosen),
      day: chosen || new Date(Date.parse(form.dataset.outbox) + daysBetween(opened, dateHere()) * DAY).toISOString().slice(0, 10),
    };
    const before = mine().filter((one) => one.refused && samePlace(form, one));
    without(before.map((one) => one.client_id));
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    try {
      if (!navigator.onLine) throw new Error("no network");
      const answer = await send(entry);
      if (answer.ok && isOurs(answer)) return location.assign((await answer.json()).to);
      return plainly(form, event.submitter);
    } catch {
      try {
        write([...read(), entry]);
      } catch {
        return plainly(form, event.submitter); // a phone that keeps nothing: the browser's own way
      }
      tell();
      root.querySelector(".outbox-kept")?.scrollIntoView({ block: "nearest" });
    } finally {
      for (const button of form.querySelectorAll("button")) button.disabled = false;
    }
  });

  addEventListener("online", sendAll);
  setInterval(sendAll, AGAIN);
  tell();
  warn();
  sendAll();
}

const samePlace = (form, entry) => new URL(form.action).pathname === entry.action;

// Whatever the program has to say about it, it says on its own page.
function plainly(form, button) {
  button.disabled = false;
  const answer = document.createElement("input");
  [answer.type, answer.name, answer.value] = ["hidden", button.name, button.value];
  form.append(answer);
  form.submit();
}
