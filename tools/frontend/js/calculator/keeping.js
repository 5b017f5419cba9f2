// The law as the server tells it or, without a network, as this phone keeps it; and the day it is now.
const DAY = 86_400_000;
const HANOI = 7 * 3_600_000;
const dayNumber = (moment) => Math.floor((moment + HANOI) / DAY);

// { told, day, kept }: the law file, today as YYYY-MM-DD, and whether it came from the phone.
export async function readLaw(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`the law did not come: ${answer.status}`);
  const told = await answer.json();
  const kept = answer.headers.get("x-kept") !== null;
  const since = kept ? dayNumber(Date.now()) - dayNumber(Date.parse(answer.headers.get("x-kept"))) : 0;
  const day = new Date(Date.parse(told.today) + Math.max(0, since) * DAY).toISOString().slice(0, 10);
  return { told, day, kept };
}

// Let the phone keep the calculator, where it may: only over https or on the machine itself.
export async function keepOnPhone(address, scope, { works, onlyOnline }) {
  if (!window.isSecureContext || !("serviceWorker" in navigator)) return onlyOnline();
  try {
    await navigator.serviceWorker.register(address, { scope, updateViaCache: "none" });
    await navigator.serviceWorker.ready;
    works();
  } catch {
    // not this time: the page needs its network as any other
  }
}
