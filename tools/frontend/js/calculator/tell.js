// The answer and what stands beside it: the same as crm/premiums/calculator/rules.py.
import { supportedBefore } from "./asked.js";
import { least } from "./exact.js";
import { Refusal } from "./law.js";
import { monthOf, YEAR } from "./months.js";
import { beside, outlook } from "./outlook.js";
import { pensionTable } from "./pensions.js";
import { AHEAD, holding, quote } from "./quote.js";

export function tell(law, asked, today) {
  const now = law.on(today);
  const topUps = holding(law.told.top_ups, today, law.told.wards[asked.place]);
  const start = monthOf(today);
  const told = (one) =>
    quote(law, {
      income: one.income,
      grounds: one.grounds,
      start,
      paidOn: today,
      plan: one.plan,
      supportedBefore: supportedBefore(one),
      topUps,
      localMonthsBefore: one.local,
    });
  const every = law.told.every_years;
  const answer = told(asked);
  const methods = plans(now).map((plan) => ({ plan, told: known(() => told({ ...asked, plan })) }));
  const incomes = ladder(now, asked.income).map((income) => told({ ...asked, income }));
  return {
    asked,
    outlook: outlook(law, asked, today, topUps),
    beside: beside(law, answer, asked),
    quote: answer,
    methods,
    incomes,
    pensions: pensionTable(law, start, asked.income, every),
    least: new Map(incomes.map(({ income }) => [income, pensionTable(law, start, income, every)[0]])),
  };
}

function known(work) {
  try {
    return work();
  } catch (refusal) {
    if (refusal instanceof Refusal) return null;
    throw refusal;
  }
}

function plans(law) {
  const periods = Object.entries(law.law.told.periods).map(([method, months]) => ({ method, months }));
  const ahead = [];
  for (let years = 2; years <= law.months("years_ahead_most"); years += 1)
    ahead.push({ method: AHEAD, months: years * YEAR });
  return [...periods, ...ahead];
}

function ladder(law, chosen) {
  const { floor, step, ceiling } = law;
  const { compared } = law.law.told;
  const rungs = [];
  for (let time = 0n; time < compared; time += 1n)
    rungs.push(least(floor + ((time * floor) / step) * step, ceiling));
  const others = rungs.filter((rung) => rung !== chosen).slice(0, compared - 1);
  return [...new Set([...others, chosen])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
