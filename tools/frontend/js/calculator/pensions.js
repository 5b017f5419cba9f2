// What it brings in old age, by the law of one day: the same rules as crm/premiums/rules/pensions.py.
import { fraction, halfUp, less, minus, plus, times } from "./exact.js";
import { firstDay, YEAR } from "./months.js";

export const NEEDED = ["pension_least_months", "pension_percent", "pension_years_women", "pension_years_men"];

// From the least years up to where nothing is added, each by the law of its own end: [{ years, women, men }].
export function pensionTable(law, start, income, every) {
  const now = law.on(firstDay(start));
  if (!NEEDED.every((key) => now.says(key))) return [];
  const table = [];
  for (let years = Math.floor(now.months("pension_least_months") / YEAR); ; years += every) {
    const [women, men] = ["female", "male"].map((sex) =>
      pension(law.on(firstDay(start + years * YEAR)), sex, years * YEAR, income),
    );
    const last = table.at(-1);
    if (last && last.women === women && last.men === men) return table;
    table.push({ years, women, men });
  }
}

function pensionRate(law, sex, months) {
  const least = law.months("pension_least_months");
  if (months < least) return null;
  const years = pensionYears(law, months);
  const full = fraction(law.number(sex === "female" ? "pension_years_women" : "pension_years_men"));
  if (less(years, full)) {
    const beyond = minus(years, fraction(least, YEAR));
    return plus(law.share("pension_short_percent"), times(beyond, law.share("pension_short_step_percent")));
  }
  const rate = plus(law.share("pension_percent"), times(minus(years, full), law.share("pension_step_percent")));
  const highest = law.share("pension_most_percent");
  return less(highest, rate) ? highest : rate;
}

function pensionYears(law, months) {
  const [years, odd] = [Math.floor(months / YEAR), months % YEAR];
  if (!odd) return fraction(years);
  return odd <= law.months("pension_half_year_months") ? fraction(2 * years + 1, 2) : fraction(years + 1);
}

// Of somebody whose months are all on one income: nothing where they are too few.
export const averagePension = (law, sex, months, income) => pension(law, sex, months, income) ?? 0n;

export function pension(law, sex, months, averageIncome) {
  const rate = pensionRate(law, sex, months);
  return rate === null ? null : halfUp(times(rate, fraction(averageIncome)));
}
