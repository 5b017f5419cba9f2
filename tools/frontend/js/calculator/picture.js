// A life in one picture: the same whole numbers as crm/premiums/calculator/life.py.
import { most } from "./exact.js";
import { YEAR } from "./months.js";

// drawing: how pictures are drawn, as the server tells it.
export function picture(drawing, outlook) {
  if (!outlook?.way?.life.length) return null;
  const { way, retirement } = outlook;
  const { born } = retirement;
  const pensionAge = Math.floor((way.entitled - born) / YEAR);
  const toAge = Math.max(drawing.to_age, pensionAge + drawing.after_pension);
  const life = way.life.filter(({ age }) => age <= toAge);
  const [first, last] = [life[0], life.at(-1)];
  const highest = most(last.paid, last.received, 1n);
  const across = (month) =>
    Math.floor((drawing.whole * (month - born - first.age * YEAR)) / Math.max(1, (last.age - first.age) * YEAR));
  const down = (amount) =>
    drawing.whole - Number((BigInt(drawing.whole) * 100n * amount) / (highest * BigInt(drawing.room_above)));
  const points = (of) => life.map((year) => `${across(born + year.age * YEAR)},${down(of(year))}`).join(" ");
  const back = way.untilPaidBack === null ? null : across(way.entitled + way.untilPaidBack);
  return {
    drawing,
    first,
    last,
    pensionAge,
    paid: points(({ paid }) => paid),
    received: points(({ received }) => received),
    pensionAt: across(way.entitled),
    paidBackAt: back !== null && back <= drawing.whole ? back : null,
    paidLevel: down(last.paid),
    receivedLevel: down(last.received),
  };
}
