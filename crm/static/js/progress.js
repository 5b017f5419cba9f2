// A long task: asks its JSON address every two seconds instead of loading the whole page again.
// The answer: {done, total, text, finished, next}; `next` is where to go when it is finished.
// Every half minute it asks whether anybody works at all, and says so when nobody does.
const PAUSE = 2000;
const ROUNDS = 15;

export function followProgress(root) {
  for (const box of root.querySelectorAll("[data-progress]")) follow(box);
}

async function follow(box) {
  const bar = box.querySelector("progress");
  const words = box.querySelector("[data-progress-words]");
  for (let round = 1; ; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (document.hidden) continue;
    if (round % ROUNDS === 0) await tellWhenNobodyWorks(box);
    let news;
    try {
      const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
      if (!answer.ok) continue;
      news = await answer.json();
    } catch {
      continue;
    }
    if (news.total) {
      bar.max = news.total;
      bar.value = news.done;
    }
    if (news.text && words.textContent !== news.text) words.textContent = news.text;
    if (news.finished) {
      window.location.assign(news.next || window.location.href);
      return;
    }
  }
}

async function tellWhenNobodyWorks(box) {
  const place = box.querySelector("[data-progress-stands]");
  try {
    const answer = await fetch(box.dataset.standstill, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { words } = await answer.json();
    place.hidden = !words;
    box.querySelector("[data-progress-goes-on]").hidden = Boolean(words);
    place.querySelector("p").textContent = words;
  } catch {
    // The network is away: what stands there stays.
  }
}
