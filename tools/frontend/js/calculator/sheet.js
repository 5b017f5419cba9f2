// The answer as the page shows it: the same texts under the same names as crm/premiums/calculator/showing.py.
import { isPersonal, queryOf, withoutThePerson } from "./asked.js";
import { parts, YEAR } from "./months.js";
import { AHEAD } from "./quote.js";

const NOTHING = "—";

export function writer(words) {
  const english = words.locale !== "vi";
  const grouped = (amount, mark) => String(amount).replace(/\B(?=(\d{3})+$)/g, mark);
  const vnd = (amount) => (amount === null || amount === undefined ? NOTHING : `${grouped(amount, english ? "," : ".")}\u00a0đ`);
  const day = (text) => {
    const [year, month, number] = text.split("-").map(Number);
    return english ? `${number} ${words.months[month - 1]} ${year}` : `${number}/${month}/${year}`;
  };
  const month = (count) => {
    const { year, number } = parts(count);
    return english ? `${words.months[number - 1]} ${year}` : `${number}/${year}`;
  };
  const fill = (sentence, places) => sentence.replace(/%\((\w+)\)s|%%/g, (mark, name) => (name ? String(places[name]) : "%"));
  const say = (name, places = {}) => fill(words.sentences[name], places);
  return { words, vnd, day, month, say, fill };
}

// The sentence of a refusal. Offices write amounts and days one way, in both languages.
export function refused(refusal, words) {
  const places = { ...refusal.names };
  for (const [name, value] of Object.entries(places))
    if (typeof value === "bigint") places[name] = `${String(value).replace(/\B(?=(\d{3})+$)/g, ".")}\u00a0đ`;
  if (places.day) places.day = places.day.split("-").map(Number).reverse().join("/");
  if (places.name) places.name = words.labels[places.name];
  return writer(words).fill(words.refusals[refusal.code], places);
}

export function sheet(law, told) {
  const write = writer(law.told.words);
  return {
    texts: answer(law, told, write),
    rows: {
      methods: methods(told, write),
      incomes: incomes(told, write),
      pensions: told.pensions.map(({ years, women, men }) =>
        row([write.say("years", { years }), write.vnd(women), write.vnd(men)]),
      ),
      why: told.quote.lines.map((line) => row(why(line, write))),
    },
  };
}

const row = (cells, query = "", here = false) => ({ cells, query, here });

function answer(law, { asked, quote }, { words, vnd, day, say }) {
  const { months } = quote.plan;
  return {
    a_month: vnd(quote.aMonth),
    at_once: months > 1 ? say("at_once", { amount: vnd(quote.payable), months }) : "",
    premium_for: say("premium_for", { months }),
    gross: vnd(quote.gross),
    state: vnd(quote.state),
    state_ground: words.grounds[quote.ground],
    local: quote.local ? vnd(quote.local) : "",
    payable: vnd(quote.payable),
    deadline: quote.deadline ? say("deadline", { day: day(quote.deadline) }) : "",
    helped: helped(law.on(quote.paidOn), quote, say),
    income: vnd(quote.income),
    method: name(quote.plan, words, say),
    shared: queryOf(withoutThePerson(asked)),
    personal: isPersonal(asked) ? queryOf(asked) : "",
  };
}

function helped(law, { ground, supported, plan }, say) {
  if (!law.says("support_cap_months")) return "";
  const months = law.number("support_cap_months");
  if (!supported) return law.support(ground).over ? say("no_help_left", { months }) : "";
  return say("helped", { months, supported, all: plan.months });
}

function methods({ asked, methods: offers }, { words, vnd, day, say }) {
  return offers.map(({ plan, told }) => {
    const cells = told
      ? [vnd(told.payable), vnd(told.aMonth), vnd(told.state), told.deadline ? day(told.deadline) : say("at_registration")]
      : [say("not_announced"), NOTHING, NOTHING, NOTHING];
    const here = plan.method === asked.plan.method && plan.months === asked.plan.months;
    return row([name(plan, words, say), ...cells], queryOf({ ...asked, plan }), here);
  });
}

function incomes({ asked, incomes: quotes, least }, { vnd }) {
  return quotes.map((quote) => {
    const after = least.get(quote.income);
    const cells = [quote.income, quote.aMonth, quote.state, after?.women, after?.men].map(vnd);
    return row(cells, queryOf({ ...asked, income: quote.income }), quote.income === asked.income);
  });
}

function why({ key, written, since, source, status }, { words, day, say }) {
  const sure = status === "in_force" ? [] : [words.statuses[status]];
  return [words.labels[key], [source, say("since", { day: day(since) }), ...sure].join(" · "), written];
}

const name = ({ method, months }, words, say) =>
  method === AHEAD ? say("years_ahead", { years: months / YEAR }) : words.methods[method];
