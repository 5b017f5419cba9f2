// The law as dated values, and the law of one day: the same rules as crm/premiums/rules/law.py, on the same rows.
import { ZERO, decimal, fraction, less, percent, times } from "./exact.js";
import { yearOf } from "./months.js";

// What is not allowed or not known: a code and what the sentence about it names.
export class Refusal extends Error {
  constructor(code, field, names = {}) {
    super(code);
    Object.assign(this, { code, field, names });
  }
}

export class Law {
  #timelines = new Map();
  #years = new Map();

  // told: what the server's law file holds.
  constructor(told) {
    this.told = told;
    for (const [key, ground, value, since, source, status, written, ofYear] of told.values) {
      const name = `${key} ${ground ?? ""} ${ofYear ?? ""}`;
      if (ofYear !== null) this.#years.set(key, (this.#years.get(key) ?? new Set()).add(ofYear));
      if (!this.#timelines.has(name)) this.#timelines.set(name, []);
      this.#timelines.get(name).push({ key, ground, value, since, source, status, written, ofYear });
    }
  }

  on(day) {
    return new LawOnDay(this, day);
  }

  // The rows of a day that a calculation asked for, in the order one would explain them.
  explained(read) {
    const { order } = this.told;
    const place = ({ key, ground, ofYear }) => {
      const at = order.includes(key) ? order.indexOf(key) : order.length;
      return `${String(at).padStart(3, "0")} ${ground ?? ""} ${ofYear ?? ""}`;
    };
    return [...read].sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0));
  }

  timeline(key, ground = null, ofYear = null) {
    return this.#timelines.get(`${key} ${ground ?? ""} ${ofYear ?? ""}`) ?? [];
  }

  // The years that have numbers of their own, the latest first.
  yearsOf(key) {
    return [...(this.#years.get(key) ?? [])].sort((a, b) => b - a);
  }
}

class LawOnDay {
  // read: the rows that were asked for.
  constructor(law, day) {
    Object.assign(this, { law, day, read: new Set() });
  }

  find(key, ground = null, ofYear = null) {
    const begun = this.law.timeline(key, ground, ofYear).filter((row) => row.since <= this.day);
    const row = begun.at(-1);
    const over = row && this.law.told.yearly.includes(key) && yearOf(row.since) !== yearOf(this.day);
    return over ? undefined : row;
  }

  // For months paid in a year: the number of the latest year up to it that has one of its own.
  findOfYear(key, year) {
    return this.law.yearsOf(key).filter((one) => one <= year).map((one) => this.find(key, null, one)).find(Boolean);
  }

  decimalOfYear(key, year) {
    return decimal(this.findOfYear(key, year).value);
  }

  says(key) {
    return this.find(key) !== undefined;
  }

  row(key, ground = null) {
    const row = this.find(key, ground);
    if (!row) throw new Refusal("law_unknown", null, { day: this.day, name: key });
    this.read.add(row);
    return row;
  }

  number(key) {
    return BigInt(this.row(key).value.split(".")[0]);
  }

  months(key) {
    return Number(this.number(key));
  }

  share(key) {
    return percent(this.row(key).value);
  }

  get rate() {
    return this.share("contribution_percent");
  }

  get floor() {
    return this.number("poverty_line");
  }

  get ceiling() {
    return this.number("ceiling_multiple") * this.number("base_level");
  }

  get step() {
    return this.number("income_step");
  }

  get floorPremium() {
    return times(this.rate, fraction(this.floor));
  }

  support(ground) {
    const row = this.find("support_percent", ground) ?? this.find("support_percent", "other");
    if (!row) return ZERO;
    this.read.add(row);
    return percent(row.value);
  }

  // Of several grounds the one with the highest share, the first named of equals; without any: "other".
  decidingGround(grounds) {
    const held = this.law.told.grounds.filter((ground) => grounds.includes(ground));
    const shares = held.map((ground) => this.support(ground));
    const best = shares.reduce((high, share, i) => (less(shares[high], share) ? i : high), 0);
    return held[best] ?? "other";
  }

  get investmentRate() {
    return this.share("investment_percent");
  }
}

