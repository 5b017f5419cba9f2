// How each figure of a quote comes about: the same sums in the same words as crm/premiums/rules/steps.py.
import { fraction, halfUp, percent, times } from "./exact.js";
import { AHEAD } from "./quote.js";

// Of each figure: what it is called, the product it is with its source, and what comes out.
export function steps(told, write) {
  const { plan, income, gross, state, local, payable, supported, ground, lines } = told;
  const { words, vnd, say } = write;
  const { months } = plan;
  const line = (key, of = null) => lines.find((one) => one.key === key && one.ground === of);
  const many = (number) => (number === 1 ? say("one_month") : say("months", { months: number }));
  const product = (...parts) => parts.join(" × ");
  const sourced = (how, ...sources) => `${how} · ${sources.join("; ")}`;
  const [rate, floor] = [line("contribution_percent"), line("poverty_line")];
  const found = [];

  let how = product(rate.written, vnd(income), many(months));
  const sources = [rate.source];
  if (plan.method === AHEAD) {
    const interest = line("investment_percent");
    const nominal = halfUp(times(percent(rate.value), fraction(income * BigInt(months))));
    how += ` = ${vnd(nominal)} − ${vnd(nominal - gross)}. ${say("discounted", { interest: interest.written })}`;
    sources.push(interest.source);
  }
  found.push([months > 1 ? say("premium_for", { months }) : say("premium_for_one"), sourced(how, ...sources), vnd(gross)]);

  if (state) {
    const share = line("support_percent", ground) ?? line("support_percent", "other");
    const ends = helpEnds(told, write);
    how = product(share.written, rate.written, floor.written, many(supported)) + (ends && `. ${ends}`);
    found.push([say("the_state"), sourced(how, share.source, floor.source), vnd(state)]);
  }
  if (local) found.push([words.labels.local_top_up, placed(told, { rate, floor, many, product, say }), vnd(local)]);
  return [...found, [say("i_pay"), [gross, state, local].filter(Boolean).map(vnd).join(" − "), vnd(payable)]];
}

// What the place adds: for as many months as it did, or for all and then no more than remains.
function placed({ topUp, plan, local, lines }, { rate, floor, many, product, say }) {
  const { written, source } = lines.at(-1);
  const shared = topUp.percent !== null;
  const premium = times(percent(rate.value), fraction(BigInt(floor.value)));
  const aMonth = shared ? times(percent(topUp.percent), premium) : fraction(topUp.amount);
  let helped = 1;
  while (helped <= plan.months && halfUp(times(aMonth, fraction(helped))) !== local) helped += 1;
  const whole = helped > plan.months;
  const parts = [written, ...(shared ? [rate.written, floor.written] : []), many(whole ? plan.months : helped)];
  return `${product(...parts)}${whole ? `, ${say("no_more")}` : ""} · ${source}`;
}

// That the months of the State's help end within the payment, and with which.
export const helpEnds = ({ lastHelped, lines }, { month, say }) =>
  lastHelped === null
    ? ""
    : say("help_ends", { month: month(lastHelped), cap: lines.find(({ key }) => key === "support_cap_months").value });
