// The law as dated values, and the law of one day: the same rules as crm/premiums/rules/law.py, on the same rows.
import { ZERO, fraction, less, percent, times } from "./exact.js";
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

  // told: what the server's law file holds.
  constructor(told) {
    this.told = told;
    for (const [key, ground, value, since, source, status, written] of told.values) {
      const name = `${key} ${ground ?? ""}`;
      if (!this.#timelines.has(name)) this.#timelines.set(name, []);
      this.#timelines.get(name).push({ key, ground, value, since, source, status, written });
    }
  }

  on(day) {
    return new LawOnDay(this, day);
  }

  // The rows of a day that a calculation asked for, in the order one would explain them.
  explained(read) {
    const place = ({ key, ground }) => `${String(this.told.order.indexOf(key)).padStart(3, "0")} ${ground ?? ""}`;
    return [...read].sort((a, b) => (place(a) < place(b) ? -1 : 1));
  }

  timeline(key, ground = null) {
    return this.#timelines.get(`${key} ${ground ?? ""}`) ?? [];
  }
}

class LawOnDay {
  // read: the rows that were asked for.
  constructor(law, day) {
    Object.assign(this, { law, day, read: new Set() });
  }

  find(key, ground = null) {
    const begun = this.law.timeline(key, ground).filter((row) => row.since <= this.day);
    const row = begun.at(-1);
    const over = row && this.law.told.yearly.includes(key) && yearOf(row.since) !== yearOf(this.day);
    return over ? undefined : row;
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

