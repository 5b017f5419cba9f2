// Passing it on: the link, the square, the share sheet of the phone or the clipboard, and paper.
export function share(root, address, words) {
  const [link, button, told] = ["[data-link]", "[data-share]", "[data-shared]"].map((one) => root.querySelector(one));
  const withAge = root.querySelector("[data-with-age]");
  const squares = root.querySelectorAll("[data-qr]");
  const plain = root.querySelector("[data-qr-plain]");
  let texts = {};
  let away = false;
  let drawn;

  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      if (navigator.share) return await navigator.share({ title: document.title, url: link.value });
      await navigator.clipboard.writeText(link.value);
      told.textContent = words.copied;
    } catch (refusal) {
      if (refusal.name === "AbortError") return;
      link.select();
      told.textContent = words.copy_by_hand;
    }
  });
  link.addEventListener("focus", () => link.select());
  for (const square of squares)
    square.addEventListener("error", () => {
      plain.hidden = false;
      if (!square.src.endsWith(square.dataset.qr)) square.src = square.dataset.qr;
    });
  const pass = () => {
    const whole = texts.personal || texts.shared;
    const query = withAge.checked ? whole : texts.shared;
    link.value = `${address}?${query}`;
    told.textContent = "";
    clearTimeout(drawn);
    drawn = setTimeout(() => {
      plain.hidden = !away;
      for (const square of squares) {
        const says = square.dataset.card === undefined ? query : whole; // the card's opens what the card says
        square.src = away ? square.dataset.qr : `${square.dataset.qr}?${says}`;
      }
    }, 500);
  };
  withAge.addEventListener("change", pass);
  for (const print of root.querySelectorAll("[data-print-card]")) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
  // kept: the answer rests on what the phone keeps, so there is no network to draw a square.
  return (now, kept) => {
    texts = now;
    away = kept;
    root.querySelector("[data-personal]").hidden = !texts.personal;
    pass();
  };
}
