// What somebody answers, from the form or from the address, and back into an address.
import { Refusal } from "./law.js";
import { YEAR } from "./months.js";
import { AHEAD } from "./quote.js";

const EVERYONE = "other"; // who is of no group that is helped more
const AMOUNT = /^[0-9]{1,12}$/;
const MONTHS = /^[0-9]{1,4}$/;
const OWN = /^([0-9]{1,4}):([0-9]{1,12})$/; // so many months cost so much from one's own pocket
const BIRTH_YEAR = /^(19|20)[0-9]{2}$/;

function readIncome(text) {
  const figures = text.replace(/[.,\s\u00a0đĐ₫]/g, "");
  if (!AMOUNT.test(figures)) throw new Refusal("income_not_read", "income");
  return BigInt(figures);
}

function readMonths(text, field) {
  const figures = text.trim();
  if (figures && !MONTHS.test(figures)) throw new Refusal("months_not_read", field);
  return Number(figures);
}

function readBirth(monthText, yearText) {
  const [number, year] = [monthText.trim(), yearText.trim()];
  if (year && !BIRTH_YEAR.test(year)) throw new Refusal("year_not_read", "born_year");
  if (!number !== !year) throw new Refusal("birth_incomplete", "born_year");
  return year ? Number(year) * YEAR + Number(number) - 1 : null;
}

// given: name → text, as the form's fields hold it.
export function readAsked(law, given) {
  const paid = readMonths(given.paid ?? "", "paid");
  const said = (name) => (given[name] ?? "").trim() !== "";
  const known = said("supported");
  const supported = readMonths(given.supported ?? "", "supported");
  const months = said("paid") ? paid : supported;
  if (known && supported > months) throw new Refusal("more_helped_than_paid", "supported");
  const own = OWN.exec(given.own ?? "");
  return {
    income: readIncome(given.income ?? ""),
    grounds: law.told.grounds.filter((ground) => ground !== EVERYONE && [given.ground].flat().includes(ground)),
    plan: planOf(law, Number(given.months)),
    supported: known ? supported : null,
    sex: given.sex || null,
    born: readBirth(given.born_month ?? "", given.born_year ?? ""),
    paid: months,
    place: given.place || "",
    local: MONTHS.test(given.local ?? "") ? Number(given.local) : 0,
    own: own && Number(own[1]) === months ? BigInt(own[2]) : null,
  };
}

// Months the State has helped with, or may have: where nobody says how many, all that were paid.
export const supportedBefore = ({ supported, paid }) => supported ?? paid;

function planOf(law, months) {
  const period = Object.entries(law.told.periods).find(([, length]) => length === months);
  return period ? { method: period[0], months } : { method: AHEAD, months: Math.floor(months / YEAR) * YEAR };
}

export const isPersonal = ({ sex, born }) => Boolean(sex || born !== null);

// The months so far stay: they say nothing of who somebody is, and without them the payment would be another figure.
export const withoutThePerson = (asked) => ({ ...asked, sex: null, born: null, own: null });

export function queryOf({ income, grounds, plan, place, paid, supported, local, sex, born }) {
  const given = new URLSearchParams({ income });
  for (const ground of grounds.length ? grounds : [EVERYONE]) given.append("ground", ground);
  given.set("months", plan.months);
  if (place) given.set("place", place);
  if (paid) given.set("paid", paid);
  if (supported !== null) given.set("supported", supported);
  if (local) given.set("local", local);
  if (sex) given.set("sex", sex);
  if (born !== null) {
    given.set("born_month", (born % YEAR) + 1);
    given.set("born_year", Math.floor(born / YEAR));
  }
  return String(given);
}
