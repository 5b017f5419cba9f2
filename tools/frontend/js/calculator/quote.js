// What a payment costs and who bears it: the same rules, in the same order, as crm/premiums/rules/quotes.py.
import { ONE, ZERO, fraction, halfUp, least, most, percent, plus, times } from "./exact.js";
import { Refusal } from "./law.js";
import { YEAR, firstDay, lastDay } from "./months.js";

export const AHEAD = "VS";
export const MISSING = "TH";

export function quote(law, asked) {
  const { income, grounds, start, paidOn = null, plan } = asked;
  const { supportedBefore = 0, localMonthsBefore = 0, otherSupport = 0n, topUps = [] } = asked;
  const today = law.on(paidOn ?? firstDay(start));
  checkIncome(today, income);
  checkPlan(today, plan);
  if (Math.min(supportedBefore, localMonthsBefore) < 0) throw new Refusal("supported_below_zero", "supported_before");
  const ground = today.decidingGround(grounds);
  const supported = supportedMonths(today, ground, plan, supportedBefore);
  const gross = grossPremium(today, income, plan);
  const share = times(times(today.support(ground), today.floorPremium), fraction(supported));
  const state = least(gross, halfUp(share));
  const { topUp, offer } = bestTopUp(today, topUps, grounds, plan.months, localMonthsBefore);
  const local = least(gross - state, offer);
  const other = least(gross - state - local, most(otherSupport, 0n));
  const payable = gross - state - local - other;
  const last = deadline(today, plan, start);
  const sides = weighed(law, today, grounds, ground, topUp, topUps, plan.months, localMonthsBefore);
  return {
    income,
    ground,
    plan,
    start,
    paidOn: today.day,
    gross,
    state,
    local,
    other,
    payable,
    supported,
    aMonth: halfUp(fraction(payable, plan.months)),
    deadline: last,
    weighed: sides,
    lastHelped: plan.method !== MISSING && supported > 0 && supported < plan.months ? start + supported - 1 : null,
    topUp,
    lines: [...law.explained(today.read), ...(topUp ? [added(law, topUp)] : [])],
  };
}

// Each of several grounds side by side, the one that decides the State's part first; nothing to weigh where there is one.
function weighed(law, today, grounds, deciding, topUp, topUps, months, before) {
  const held = law.told.grounds.filter((ground) => grounds.includes(ground));
  if (held.length < 2) return [];
  let placed = false;
  return [deciding, ...held.filter((ground) => ground !== deciding)].map((ground) => {
    const { topUp: theirs, offer: local } = bestTopUp(today, topUps, [ground], months, before);
    const byThePlace = !placed && theirs !== null && theirs === topUp;
    placed ||= byThePlace;
    return { ground, share: today.support(ground), byTheState: ground === deciding, local, byThePlace };
  });
}

export function checkIncome(law, income) {
  const { floor, day } = law;
  if (income < floor) throw new Refusal("income_below_floor", "income", { day, floor });
  const { ceiling } = law;
  if (income > ceiling) throw new Refusal("income_above_ceiling", "income", { day, ceiling });
  const { step } = law;
  const over = (income - floor) % step;
  if (over && income !== ceiling)
    throw new Refusal("income_off_step", "income", {
      step,
      lower: income - over,
      higher: least(income - over + step, ceiling),
    });
}

function checkPlan(law, { method, months }) {
  if (method === AHEAD) {
    const years = law.months("years_ahead_most");
    if (!(months > YEAR && months <= years * YEAR)) throw new Refusal("years_ahead_out_of_range", "years_ahead", { most: years });
  }
  if (method === MISSING) {
    const longest = law.months("missing_months_most");
    if (!(months >= 1 && months <= longest))
      throw new Refusal("missing_months_out_of_range", "missing_months", { most: longest });
  }
}

export function supportedMonths(law, ground, { method, months }, before) {
  if (law.support(ground).over === 0n) return 0;
  if (method === MISSING && law.number("missing_months_supported") === 0n) return 0;
  return Math.min(months, Math.max(0, law.months("support_cap_months") - before));
}

function grossPremium(law, income, { method, months }) {
  const monthly = times(law.rate, fraction(income));
  if (method !== AHEAD && method !== MISSING) return halfUp(times(monthly, fraction(months)));
  const grown = plus(ONE, law.investmentRate);
  const factor = method === AHEAD ? fraction(grown.under, grown.over) : grown;
  let sum = ZERO; // of factor^0 … factor^(months - 1), without powers worked out twice
  for (let i = 0; i < months; i += 1) sum = plus(ONE, times(factor, sum));
  return halfUp(times(monthly, method === AHEAD ? sum : times(factor, sum)));
}

function bestTopUp(law, topUps, grounds, months, before) {
  const held = topUps.filter(({ since, until }) => since <= law.day && (until === null || law.day <= until));
  const own = new Set(held.map((topUp) => topUp.ground));
  const theirs = new Set((grounds.length ? grounds : ["other"]).map((ground) => (own.has(ground) ? ground : "other")));
  let best = { topUp: null, offer: 0n };
  for (const topUp of held.filter((one) => theirs.has(one.ground))) {
    const longest = topUp.months_cap === null ? months : Math.max(0, topUp.months_cap - before);
    const aMonth =
      topUp.percent === null ? fraction(topUp.amount) : times(percent(topUp.percent), law.floorPremium);
    const offer = halfUp(times(aMonth, fraction(Math.min(months, longest))));
    if (best.topUp === null || offer > best.offer) best = { topUp, offer };
  }
  return best;
}

function deadline(law, { method }, start) {
  const window = law.law.told.windows[method];
  return window ? lastDay(start + law.months(window) - 1) : null;
}

function added(law, { ground, since, document: source, status, written }) {
  return { key: law.told.local, ground, ofYear: null, since, source, status, written };
}

// What counts on a day for somebody within these places: of each place and ground the last addition that has begun.
export function holding(topUps, day, places = []) {
  const last = new Map();
  const here = topUps.filter(({ since, place }) => since <= day && (place === null || places.includes(place)));
  for (const one of here) last.set(`${one.place} ${one.ground}`, one);
  return [...last.values()].filter(({ until }) => until === null || day <= until);
}
