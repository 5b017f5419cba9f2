// Keeps the calculator on the phone, and nothing else: it is never asked about any other page.
// Context: told {version, files, scope, page, law, qr}.
const TOLD = {{ told|tojson }};
const CACHE = `calculator-${TOLD.version}`;
const PATIENCE = 4000; // milliseconds before a weak signal counts as none
const OWN = { credentials: "omit", cache: "reload" };

self.addEventListener("install", (event) => {
  event.waitUntil(keepAll().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOld().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  const here = address.pathname + address.search;
  if (request.mode === "navigate" && address.pathname === TOLD.scope) event.respondWith(networkFirst(request, TOLD.page));
  else if (here === TOLD.law) event.respondWith(networkFirst(request, TOLD.law, { keep: true }));
  else if (TOLD.files.includes(here)) event.respondWith(keptFirst(request));
  else if (here === TOLD.qr) event.respondWith(networkFirst(request, TOLD.qr));
});

async function keepAll() {
  const cache = await caches.open(CACHE);
  await cache.addAll(TOLD.files);
  await Promise.all([TOLD.page, TOLD.law, TOLD.qr].map((address) => fetchAndKeep(cache, address)));
}

async function fetchAndKeep(cache, address) {
  const answer = await fetch(address, OWN);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  await keep(cache, address, answer);
}

// With the moment at which it came, by the phone's own clock.
async function keep(cache, address, answer) {
  const headers = new Headers(answer.headers);
  headers.set("X-Kept", new Date().toISOString());
  headers.delete("Set-Cookie");
  headers.delete("Content-Encoding");
  await cache.put(address, new Response(await answer.blob(), { status: 200, headers }));
}

async function forgetOld() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("calculator-") && name !== CACHE).map((name) => caches.delete(name)));
}

async function keptFirst(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request.url)) ?? fetch(request);
}

async function networkFirst(request, address, { keep: keeps = false } = {}) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(address);
  try {
    const answer = await (kept ? Promise.race([fetch(request), tooLong()]) : fetch(request));
    if (keeps && answer.ok) await keep(cache, address, answer.clone());
    if (answer.status < 500 || !kept) return answer;
  } catch (away) {
    if (!kept) throw away;
  }
  return kept;
}

const tooLong = () => new Promise((_, refuse) => setTimeout(() => refuse(new Error("no network")), PATIENCE));
