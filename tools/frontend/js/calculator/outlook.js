// What paying on brings in old age: the same rules, in the same order, as crm/premiums/rules/benefits.
import { supportedBefore } from "./asked.js";
import { ceiling, fraction, halfUp, most, plus, times, ZERO } from "./exact.js";
import { Refusal } from "./law.js";
import { firstDay, monthOf, YEAR } from "./months.js";
import { averagePension, NEEDED } from "./pensions.js";
import { checkIncome, MISSING, quote, supportedMonths } from "./quote.js";

const AGES = { female: "retirement_months_women", male: "retirement_months_men" };
const OLDEST = 150; // an age nobody outlives: until there a life is counted

function retirement(law, sex, born) {
  const rows = law.timeline(AGES[sex]);
  const [first] = rows;
  const told = (row, reached, assumptions) => ({ sex, born, age: row.written, reached, lines: [row], assumptions });
  if (born + Number(first.value) < monthOf(first.since)) return told(first, born + Number(first.value), ["before_the_record"]);
  for (let i = 0; ; i += 1) {
    const reached = Math.max(born + Number(rows[i].value), monthOf(rows[i].since));
    if (!rows[i + 1] || reached < monthOf(rows[i + 1].since)) return told(rows[i], reached, []);
  }
}

// The month of birth of somebody who starts now and reaches the age having paid just the least months.
function exampleBirth(law, sex, start) {
  const now = law.on(firstDay(start));
  const ages = law.timeline(AGES[sex]);
  if (!ages.length || !now.says("pension_least_months") || !now.says("least_age")) return null;
  const reached = start + now.months("pension_least_months") - 1;
  const row = ages.filter(({ since }) => monthOf(since) <= reached).at(-1) ?? ages[0];
  return reached - Number(row.value);
}

export function outlook(law, asked, today, topUps) {
  const start = monthOf(today);
  const example = !asked.sex || asked.born === null;
  const sex = asked.sex ?? "female";
  const born = example ? exampleBirth(law, sex, start) : asked.born;
  if (born === null) return null;
  const found = told(law, { ...asked, sex, born }, start, topUps);
  checkMonths(law, law.on(today), asked, start);
  return { example, ...found };
}

// No more months than there can have been: since one was old enough, and some years ahead.
function checkMonths(law, now, { born, paid }, start) {
  const begun = monthOf(law.told.begun);
  const first = born === null ? begun : Math.max(begun, born + now.months("least_age") * YEAR);
  const most = start - first + now.months("years_ahead_most") * YEAR;
  if (paid > most) throw new Refusal("months_impossible", "paid", { most });
}

function told(law, person, start, topUps) {
  const today = law.on(firstDay(start));
  checkIncome(today, person.income);
  const least = today.months("least_age");
  if (Math.floor((start - person.born) / YEAR) < least) throw new Refusal("too_young", "born_year", { age: least });
  const needed = today.months("pension_least_months");
  const when = retirement(law, person.sex, person.born);
  const toAge = Math.max(0, when.reached + 1 - start);
  const short = Math.max(0, needed - person.paid - toAge);
  const base = {
    start,
    retirement: when,
    needed,
    stillNeeded: Math.max(0, needed - person.paid),
    short,
    way: null,
    missing: null,
    assumptions: ["law_of_today", ...when.assumptions],
    unknown: [],
  };
  if (!NEEDED.every((key) => today.says(key)))
    return { ...base, unknown: ["pension_law"], lines: merged(law, when.lines, [...today.read]) };
  const past = paidSoFar(today, person);
  const { paid, lines } = paidMonthly(law, person, start, toAge + short, topUps);
  const entitled = short ? start + paid.length : Math.max(when.reached + 1, start);
  const road = { person, past, start };
  const then = law.on(firstDay(entitled));
  let [missing, atOnce, unknown, sooner] = [null, null, [], then];
  if (short > 0 && short <= today.months("missing_months_most")) {
    const month = Math.max(start, when.reached);
    atOnce = payAtOnce(law, today, person, month, short, toAge);
    sooner = law.on(firstDay(month + 1));
    missing = way(road, sooner, paid.slice(0, toAge), month + 1, atOnce);
    if (atOnce.paid === null) unknown = ["investment_rate"];
  }
  const straight = way(road, then, paid, entitled);
  const pastAs = person.supported ? "past_helped_like_now" : "past_paid_in_full";
  return {
    ...base,
    way: straight,
    missing,
    lines: merged(law, when.lines, lines, atOnce?.lines ?? [], [...today.read, ...sooner.read, ...then.read]),
    assumptions: [
      ...base.assumptions,
      ...(paid.length ? ["paid_without_a_break"] : []),
      ...(atOnce?.paid ? ["rounded_once"] : []),
      ...(person.paid && person.supported === null ? ["all_supported_so_far"] : []),
      ...(person.paid ? ["average_like_ahead"] : []),
      ...(person.paid && person.own === null ? [pastAs] : []),
    ],
    unknown,
  };
}

// From one's own pocket, as far as it is on record; else in full, less what the State gives today for the months it helped with.
function paidSoFar(law, { paid, own, supported, income, grounds }) {
  if (own !== null) return own;
  if (!paid) return 0n;
  const full = halfUp(times(times(law.rate, fraction(income)), fraction(paid)));
  if (!supported) return full;
  const share = law.support(law.decidingGround(grounds));
  return most(0n, full - halfUp(times(times(share, law.floorPremium), fraction(Math.min(supported, paid)))));
}

function paidMonthly(law, person, start, months, topUps) {
  const today = law.on(firstDay(start));
  const cap = today.says("support_cap_months") ? today.months("support_cap_months") : 0;
  const known = new Map();
  const paid = [];
  for (let month = 0; month < months; month += 1) {
    const state = supportedBefore(person) + month;
    const local = person.local + month;
    const helped = [state < cap, ...topUps.map((one) => one.months_cap === null || local < one.months_cap)].join();
    if (!known.has(helped))
      known.set(
        helped,
        quote(law, {
          income: person.income,
          grounds: person.grounds,
          start,
          plan: { method: "1", months: 1 },
          supportedBefore: state,
          topUps,
          localMonthsBefore: local,
        }),
      );
    paid.push(known.get(helped).payable);
  }
  return { paid, lines: [...known.values()].flatMap((one) => one.lines) };
}

function payAtOnce(law, today, person, month, missing, ahead) {
  const plan = { method: MISSING, months: missing };
  const before = supportedBefore(person) + ahead;
  const ground = today.decidingGround(person.grounds);
  const helped = supportedMonths(today, ground, plan, before);
  const nominal = halfUp(times(times(today.rate, fraction(person.income)), fraction(missing)));
  const help = halfUp(times(times(today.support(ground), today.floorPremium), fraction(helped)));
  const least = most(0n, nominal - help);
  if (!law.on(firstDay(month)).says("investment_percent")) return { months: missing, month, paid: null, least, lines: [] };
  const { income, grounds } = person;
  const drawn = quote(law, { income, grounds, start: month, plan, supportedBefore: before });
  return { months: missing, month, paid: drawn.payable, least, lines: drawn.lines };
}

function way({ person, past, start }, then, paid, entitled, atOnce = { months: 0, month: null, paid: 0n, least: 0n }) {
  const months = person.paid + paid.length + atOnce.months;
  const pension = averagePension(then, person.sex, months, person.income);
  const sum = paid.reduce((all, one) => all + one, 0n);
  const own = atOnce.paid === null ? null : past + sum + atOnce.paid;
  return {
    ahead: paid.length,
    atOnce,
    entitled,
    pension,
    own,
    untilPaidBack: own !== null && pension ? Number(ceiling(fraction(own, pension))) : null,
    life: atOnce.paid === null ? [] : life(person, past, paid, start, entitled, pension, atOnce),
  };
}

function life({ born }, past, paid, start, entitled, pension, atOnce) {
  const soFar = [past];
  for (const one of paid) soFar.push(soFar.at(-1) + one);
  const years = [];
  for (let age = Math.floor((start - born) / YEAR); age <= OLDEST; age += 1) {
    const month = born + age * YEAR;
    let spent = soFar[Math.min(Math.max(month - start, 0), paid.length)];
    if (atOnce.month !== null && month > atOnce.month) spent += atOnce.paid;
    years.push({ age, paid: spent, received: pension * BigInt(Math.max(0, month - entitled)) });
  }
  return years;
}

function merged(law, ...parts) {
  const rows = new Map(parts.flat().map((row) => [`${row.key} ${row.ground} ${row.ofYear} ${row.since} ${row.written}`, row]));
  return law.explained(rows.values());
}

// What a family or whoever leaves is given after some years on this income, as an example.
export function beside(law, told, asked) {
  const day = firstDay(told.start);
  const now = law.on(day);
  const { beside_years: years } = law.told;
  const paidIn = Array.from({ length: years }, (_, i) => Math.floor(told.start / YEAR) + i);
  const forYears = (key) =>
    paidIn.every((year) => now.findOfYear(key, year))
      ? halfUp(paidIn.map((year) => times(now.decimalOfYear(key, year), fraction(told.income))).reduce(plus, ZERO))
      : null;
  const cap = now.says("support_cap_months") ? now.months("support_cap_months") : 0;
  const helped = Math.min(years * YEAR, Math.max(0, cap - supportedBefore(asked)));
  const support = halfUp(fraction(told.state * BigInt(helped), Math.max(told.supported, 1)));
  const gross = now.findOfYear("lump_sum_months_a_year", Math.floor(told.start / YEAR)) ? forYears("lump_sum_months_a_year") : null;
  const grieving = now.says("funeral_least_months");
  const enough = grieving && years * YEAR >= now.months("funeral_least_months");
  return {
    years,
    funeral: grieving ? (enough ? now.number("funeral_multiple") * now.number("base_level") : 0n) : null,
    lump: grieving ? forYears("survivors_months_a_year") : null,
    leaving: gross === null ? null : most(0n, gross - support),
    helped: support > 0n,
    whyNot: now.findOfYear("lump_sum_months_a_year", Math.floor(told.start / YEAR)) ? whyNot(law, now, told.start, asked.paid, years) : null,
  };
}

// Why nobody may leave with it: first insured too late, or so many months paid that a pension waits.
function whyNot(law, now, start, paid, years) {
  const [{ since }] = law.timeline("lump_sum_after_stopping");
  const insured = firstDay(start - paid);
  const first = law.on(insured < since ? since : insured);
  if (first.number("lump_sum_after_stopping") === 0n) return "first_insured_late";
  return paid + years * YEAR >= now.months("lump_sum_below_months") ? "paid_too_long" : null;
}
