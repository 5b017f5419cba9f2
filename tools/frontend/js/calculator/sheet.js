// The answer as the page shows it: the same texts under the same names as crm/premiums/calculator/showing.py.
import { fraction, halfUp, times } from "./exact.js";
import { isPersonal, queryOf, withoutThePerson } from "./asked.js";
import { parts, YEAR } from "./months.js";
import { picture } from "./picture.js";
import { AHEAD } from "./quote.js";
import { helpEnds, steps } from "./steps.js";

const NOTHING = "—";

export function writer(words) {
  const english = words.locale !== "vi";
  const grouped = (amount, mark) => String(amount).replace(/\B(?=(\d{3})+$)/g, mark);
  const number = (amount) => (amount === null || amount === undefined ? NOTHING : grouped(amount, english ? "," : "."));
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
  return { words, number, vnd, day, month, say, fill };
}

// The sentence of a refusal.
export function refused(refusal, words) {
  const write = writer(words);
  const places = { ...refusal.names };
  for (const [name, value] of Object.entries(places)) if (typeof value === "bigint") places[name] = write.vnd(value);
  if (places.day) places.day = write.day(places.day);
  if (places.name) places.name = words.labels[places.name];
  return write.fill(words.refusals[refusal.code], places);
}

// linked: the answers that addresses hold.
export function sheet(law, told, linked = told.asked) {
  const write = writer(law.told.words);
  const drawn = picture(law.told.picture, told.outlook);
  return {
    texts: {
      ...answer(law, told, linked, write),
      ...besides(law.on(told.quote.paidOn), told, write),
      ...later(told.outlook, write),
      ...drawing(drawn, write),
    },
    rows: {
      life: drawn ? behind(law, told.outlook, drawn, write) : [],
      assumed: told.outlook ? assumed(told.outlook, write) : [],
      why_later: (told.outlook?.lines ?? []).map((line) => row(why(line, write))),
      methods: methods(told, linked, write),
      incomes: incomes(told, linked, write),
      pensions: told.pensions.map(({ years, women, men }) =>
        row([write.say("years", { years }), write.vnd(women), write.vnd(men)]),
      ),
      weighed: told.quote.weighed.map((one) => row([weighing(one, write)])),
      how: steps(told.quote, write).map((cells) => row(cells)),
      why: told.quote.lines.map((line) => row(why(line, write))),
    },
  };
}

const row = (cells, query = "", here = false) => ({ cells, query, here });

function answer(law, { asked, quote }, linked, write) {
  const { words, vnd, day, say } = write;
  const { months } = quote.plan;
  return {
    a_month: vnd(quote.aMonth),
    at_once: months > 1 ? say("at_once", { amount: vnd(quote.payable), months }) : "",
    premium_for: months > 1 ? say("premium_for", { months }) : say("premium_for_one"),
    gross: vnd(quote.gross),
    state: vnd(quote.state),
    state_ground: words.grounds[quote.ground],
    local: quote.local ? vnd(quote.local) : "",
    payable: vnd(quote.payable),
    deadline: quote.deadline ? say("deadline", { day: day(quote.deadline) }) : "",
    help_ends: helpEnds(quote, write),
    helped: helped(law.on(quote.paidOn), quote, say),
    supported_unknown: supportedUnknown(law.on(quote.paidOn), asked, say),
    income: vnd(quote.income),
    method: name(quote.plan, words, say),
    shared: queryOf(withoutThePerson(linked)),
    personal: isPersonal(linked) ? queryOf(linked) : "",
  };
}

// What one of several grounds would bring, and what of it counts.
function weighing({ ground, share, byTheState, local, byThePlace }, { words, number, vnd, say }) {
  const hundredths = halfUp(times(share, fraction(10000n)));
  const [whole, rest] = [number(hundredths / 100n), hundredths % 100n];
  const mark = words.locale === "vi" ? "," : ".";
  const told = { ground: words.grounds[ground], share: `${whole}${rest ? mark + String(rest).padStart(2, "0") : ""}%` };
  const place = byThePlace ? "place_comes_on_top" : local ? "place_does_not" : null;
  const state = say(byTheState ? "ground_counts" : "ground_does_not", told);
  return place ? `${state} ${say(place, { amount: vnd(local) })}` : state;
}

function helped(law, { ground, supported, plan }, say) {
  if (!law.says("support_cap_months")) return "";
  const months = law.number("support_cap_months");
  if (!supported) return law.support(ground).over ? say("no_help_left", { months }) : "";
  return say("helped", { months, supported, all: plan.months });
}

// What is taken for granted where nobody says how many months the State has helped with.
function supportedUnknown(law, { supported, paid }, say) {
  if (supported !== null || !law.says("support_cap_months")) return "";
  return paid ? say("all_helped", { months: paid }) : say("none_helped");
}

function methods({ asked, methods: offers }, linked, { words, number, day, say }) {
  return offers.map(({ plan, told }) => {
    const cells = told
      ? [number(told.payable), number(told.state), told.deadline ? day(told.deadline) : say("at_registration")]
      : [say("not_announced"), NOTHING, NOTHING];
    const here = plan.method === asked.plan.method && plan.months === asked.plan.months;
    return row([name(plan, words, say), ...cells], queryOf({ ...linked, plan }), here);
  });
}

function incomes({ asked, incomes: quotes, least }, linked, { number }) {
  return quotes.map((quote) => {
    const after = least.get(quote.income);
    const cells = [quote.income, quote.aMonth, after?.women, after?.men].map(number);
    return row(cells, queryOf({ ...linked, income: quote.income }), quote.income === asked.income);
  });
}

function why({ key, ground, ofYear, written, since, source, status }, { words, day, say }) {
  const of = ground ? words.grounds[ground] : ofYear;
  const sure = status === "in_force" ? [] : [words.statuses[status]];
  return [of ? `${words.labels[key]} (${of})` : words.labels[key], [source, say("since", { day: day(since) }), ...sure].join(" · "), written];
}

const name = ({ method, months }, words, say) =>
  method === AHEAD ? say("years_ahead", { years: months / YEAR }) : words.methods[method];

// When, how much a month, what it costs and when it is paid back.
function later(outlook, { words, vnd, month, say }) {
  const texts = Object.fromEntries(
    ["example", "retires", "needed", "short", "at_once_then", "pension", "pension_from", "own", "paid_back", "unknown_pension"].map((name) => [name, ""]),
  );
  if (!outlook) return texts;
  const { example, start, retirement, needed, stillNeeded, short, way, missing } = outlook;
  if (example) texts.example = say(`example_${retirement.sex}`, { age: Math.floor((start - retirement.born) / YEAR) });
  texts.retires = say("retires", { month: month(retirement.reached), age: retirement.age });
  texts.needed = stillNeeded ? say("needed", { months: stillNeeded, all: needed }) : say("enough");
  if (!way) return { ...texts, unknown_pension: words.unknowns.pension_law };
  if (short) texts.short = say("short", { months: short, month: month(start + way.ahead - 1) });
  if (missing) {
    const { months, paid, least } = missing.atOnce;
    const name = paid === null ? "at_once_at_least" : "at_once_then";
    texts.at_once_then = say(name, { months, amount: vnd(paid ?? least) });
  }
  texts.pension = vnd(way.pension);
  texts.pension_from = say("pension_from", { month: month(way.entitled) });
  texts.own = say("own", { amount: vnd(way.own), months: way.ahead });
  if (way.untilPaidBack !== null)
    texts.paid_back = say("paid_back", { years: Math.floor(way.untilPaidBack / YEAR), months: way.untilPaidBack % YEAR });
  return texts;
}

const PICTURE = [
  ...["life_paid", "life_received", "life_pension_at", "life_back_at", "life_back_y", "life_paid_x", "life_paid_y"],
  ...["life_received_y", "life_paid_label", "life_received_label", "life_first", "life_pension_age", "life_last"],
];
const percent = (place) => `${Math.floor(place / 10)}.${place % 10}%`;

function drawing(drawn, { vnd, say }) {
  const aged = (age) => say("aged", { age });
  if (!drawn) return Object.fromEntries(PICTURE.map((name) => [name, ""]));
  const { drawing: ways, paidLevel, receivedLevel, first, last } = drawn;
  const under = Math.abs(paidLevel - receivedLevel) < ways.close ? ways.close : 0;
  const lower = paidLevel >= receivedLevel;
  return {
    life_paid: drawn.paid,
    life_received: drawn.received,
    life_pension_at: percent(drawn.pensionAt),
    life_back_at: drawn.paidBackAt === null ? "" : percent(drawn.paidBackAt),
    life_back_y: percent(paidLevel),
    life_paid_x: percent(Math.max(drawn.pensionAt, ways.label)),
    life_paid_y: percent(paidLevel + (lower ? under : 0)),
    life_received_y: percent(receivedLevel + (lower ? 0 : under)),
    life_paid_label: say("life_paid", { amount: vnd(last.paid) }),
    life_received_label: say("life_received", { amount: vnd(last.received) }),
    life_first: aged(first.age),
    life_pension_age:
      ways.middle < drawn.pensionAt && drawn.pensionAt < ways.whole - ways.middle ? aged(drawn.pensionAge) : "",
    life_last: aged(last.age),
  };
}

function behind(law, { way }, { first, last, pensionAge }, { vnd, say }) {
  const every = law.told.every_years;
  return way.life
    .filter(({ age }) => age <= last.age && ((age - first.age) % every === 0 || age === pensionAge || age === last.age))
    .map(({ age, paid, received }) => row([say("aged", { age }), vnd(paid), vnd(received)]));
}

const assumed = ({ assumptions, unknown }, { words }) => [
  ...assumptions.map((one) => row([words.assumptions[one]])),
  ...unknown.map((one) => row([words.unknowns[one]])),
];

// A birth, a death, and leaving with a lump sum.
function besides(law, { asked, beside: { years, funeral, lump, leaving, helped, whyNot } }, { words, vnd, say }) {
  const grant = ["maternity_grant", "maternity_least_months", "maternity_within_months"];
  const known = grant.every((key) => law.says(key));
  const [amount, least, within] = known ? grant.map((key) => law.number(key)) : [];
  const sure = law.find("funeral_multiple")?.status ?? "in_force";
  const name = `leaving${asked.paid ? "_ahead" : ""}${helped ? "" : "_unhelped"}`;
  return {
    maternity: known ? say("maternity", { amount: vnd(amount), least, within }) : "",
    survivors: funeral !== null && lump !== null ? say("survivors", { years, funeral: vnd(funeral), lump: vnd(lump) }) : "",
    leaving: leaving === null ? "" : say(name, { years, amount: vnd(leaving) }),
    leaving_late: whyNot ? words.why_not[whyNot] : "",
    survivors_sure: sure === "in_force" ? "" : words.statuses[sure],
  };
}
