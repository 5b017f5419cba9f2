// Days are "2026-07-15", months are counted from the imagined January of the year 0.
export const YEAR = 12;
export const monthOf = (day) => Number(day.slice(0, 4)) * YEAR + Number(day.slice(5, 7)) - 1;
export const yearOf = (day) => Number(day.slice(0, 4));
const two = (number) => String(number).padStart(2, "0");

export function parts(month) {
  return { year: Math.floor(month / YEAR), number: (month % YEAR) + 1 };
}

export function firstDay(month) {
  const { year, number } = parts(month);
  return `${String(year).padStart(4, "0")}-${two(number)}-01`;
}

export function lastDay(month) {
  const { year, number } = parts(month);
  return `${String(year).padStart(4, "0")}-${two(number)}-${new Date(Date.UTC(year, number, 0)).getUTCDate()}`;
}
