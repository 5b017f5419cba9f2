// Sorts the points of a page by how far they are from this telephone. Where it is stays here: nothing is sent, nothing is kept.
const EARTH = 6371;
const far = (from, to) => {
  const turn = Math.PI / 180;
  const high = Math.sin(((to.latitude - from.latitude) * turn) / 2) ** 2;
  const wide = Math.sin(((to.longitude - from.longitude) * turn) / 2) ** 2;
  return 2 * EARTH * Math.asin(Math.sqrt(high + Math.cos(from.latitude * turn) * Math.cos(to.latitude * turn) * wide));
};
const told = document.querySelector("[data-nearest-told]");
const place = () =>
  new Promise((found, refused) =>
    navigator.geolocation.getCurrentPosition((at) => found(at.coords), refused, { timeout: 15000, maximumAge: 60000, enableHighAccuracy: true }),
  );

const sort = document.querySelector("[data-nearest]");
const list = document.querySelector("[data-points]");
const points = [...document.querySelectorAll("[data-point]")];
if (sort && navigator.geolocation && isSecureContext && points.some((one) => one.dataset.latitude)) {
  sort.hidden = document.querySelector("[data-nearest-note]").hidden = false;
  sort.addEventListener("click", async () => {
    told.textContent = sort.dataset.waiting;
    try {
      const here = await place();
      const away = new Map(points.map((one) => [one, one.dataset.latitude ? far(here, { latitude: +one.dataset.latitude, longitude: +one.dataset.longitude }) : Infinity]));
      const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
      points.sort((one, other) => away.get(one) - away.get(other) || 0);
      for (const one of points) {
        const km = away.get(one);
        one.querySelector("[data-distance]").textContent = km === Infinity ? "" : one.dataset.km.replace("{km}", number.format(km));
        list.append(one);
      }
      told.textContent = sort.dataset.done;
    } catch {
      told.textContent = sort.dataset.refused;
    }
  });
}

const here = document.querySelector("[data-here]");
if (here && navigator.geolocation && isSecureContext) {
  here.hidden = false;
  here.addEventListener("click", async () => {
    try {
      const at = await place();
      document.getElementById(here.dataset.here).value = `${at.latitude.toFixed(6)}, ${at.longitude.toFixed(6)}`;
      told.textContent = "";
    } catch {
      told.textContent = here.dataset.refused;
    }
  });
}
