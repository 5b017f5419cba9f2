// A long task: asks its JSON address every two seconds instead of loading the whole page again.
// The answer: {done, total, text, finished, next}; `next` is where to go when it is finished.
const PAUSE = 2000;

export function followProgress(root) {
  for (const box of root.querySelectorAll("[data-progress]")) follow(box);
}

async function follow(box) {
  const bar = box.querySelector("progress");
  const words = box.querySelector("[data-progress-words]");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (document.hidden) continue;
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
