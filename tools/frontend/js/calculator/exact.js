// Exact shares of whole numbers: no figure of money ever passes through a float.
export const fraction = (over, under = 1n) => ({ over: BigInt(over), under: BigInt(under) });
export const plus = (a, b) => fraction(a.over * b.under + b.over * a.under, a.under * b.under);
export const minus = (a, b) => plus(a, fraction(-b.over, b.under));
export const times = (a, b) => fraction(a.over * b.over, a.under * b.under);
export const less = (a, b) => a.over * b.under < b.over * a.under;
export const equal = (a, b) => a.over * b.under === b.over * a.under;
export const ZERO = fraction(0n);
export const ONE = fraction(1n);

// "0.31" → 31/100.
export function decimal(text) {
  const [whole, rest = ""] = text.split(".");
  return fraction(BigInt(whole + rest), 10n ** BigInt(rest.length));
}

export const percent = (text) => times(decimal(text), fraction(1n, 100n));

// To whole đồng, one half upwards; nothing here is below zero.
export const halfUp = (amount) => (2n * amount.over + amount.under) / (2n * amount.under);

export const ceiling = (amount) => (amount.over + amount.under - 1n) / amount.under;

export const least = (...amounts) => amounts.reduce((a, b) => (b < a ? b : a));
export const most = (...amounts) => amounts.reduce((a, b) => (b > a ? b : a));
