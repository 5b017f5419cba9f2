// Whether somebody is here already, asked while they are typed. Without this script, or without a network, the question
// comes when the form is sent.
const PAUSE = 600;
const ASKED = ["full_name", "phone", "other_phone", "birth", "sex", "place", "neighbourhood", "address", "citizen_id", "si_number", "csrf_token"];

for (const box of document.querySelectorAll("[data-alike]")) {
  const form = box.parentElement.querySelector("form");
  const fields = box.dataset.asked?.split(" ");
  let waiting, asking, asked = "";
  form.elements[box.dataset.after ?? "birth"]?.closest(".field")?.after(box);

  const ask = async () => {
    const said = new URLSearchParams();
    for (const name of fields ? [...fields, "csrf_token"] : ASKED) {
      const value = form.elements[name]?.value?.trim();
      if (value) said.set(name, value);
    }
    const enough = fields ? fields.some((name) => said.get(name)?.length > 3) : said.has("citizen_id") || said.has("si_number") || (said.has("full_name") && (said.has("phone") || said.has("birth")));
    if (said.toString() === asked) return;
    asked = said.toString();
    asking?.abort();
    if (!enough) return show("");
    asking = new AbortController();
    try {
      const answer = await fetch(box.dataset.url, { method: "POST", body: said, signal: asking.signal, headers: { Accept: "application/json" } });
      if (answer.ok) show((await answer.json()).html);
    } catch {
      // No network: the form asks again when it is sent.
    }
  };
  const show = (html) => {
    if (box.innerHTML !== html) box.innerHTML = html;
    box.hidden = !html;
  };
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  if (form.elements[fields?.[0] ?? "full_name"]?.value) soon();
}
