// Rebuilds what is committed under crm/static: one stylesheet, the calculator's script, the font files, the icon sprite, the licence texts.
// Run `npm ci && npm run build` here after changing css/, js/, icons.json or a version. Running the program needs no Node.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import subsetFont from "subset-font";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "..", "crm", "static");
const modules = join(here, "node_modules");
const ICONS = join(modules, "@phosphor-icons", "core");

for (const folder of ["css", "fonts", "licences"]) mkdirSync(join(out, folder), { recursive: true });

// One file a weight, from the fonts the papers are set in: what Vietnamese and English are written with, no more. Hints for the
// screens of old are left out: they were two thirds of each file, and telephones do not read them.
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, place) => String.fromCodePoint(from + place)).join("");
const LETTERS = [
  range(0x20, 0x7e),
  "ÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝàáâãèéêìíòóôõùúýĂăĐđĨĩŨũƠơƯư",
  range(0x1ea0, 0x1ef9),
  "\u00a0§«°±²·»×–—‘’“”•…₫€−≤≥",
].join("");
const FEATURES = ["kern", "tnum"];
const venv = join(here, "..", "..", ".venv", "lib");
const python = readdirSync(venv).find((name) => name.startsWith("python"));
const FONTS = join(venv, python, "site-packages", "fontpkg_be_vietnam_pro");
for (const [weight, name] of [[400, "Regular"], [600, "SemiBold"]]) {
  const whole = readFileSync(join(FONTS, "files", `BeVietnamPro-${name}.ttf`));
  const options = { targetFormat: "woff2", noHinting: true, keepFeatures: FEATURES };
  writeFileSync(join(out, "fonts", `be-vietnam-pro-${weight}.woff2`), await subsetFont(whole, LETTERS, options));
}
copyFileSync(join(FONTS, "LICENSE"), join(out, "licences", "be-vietnam-pro-OFL.txt"));
copyFileSync(join(ICONS, "LICENSE"), join(out, "licences", "phosphor-icons-MIT.txt"));

const drawn = Object.entries(JSON.parse(readFileSync(join(here, "icons.json"), "utf8"))).map(([ours, theirs]) => {
  const weight = theirs.includes("-fill") ? "fill" : theirs.includes("-bold") ? "bold" : "regular";
  const svg = readFileSync(join(ICONS, "assets", weight, `${theirs}.svg`), "utf8");
  const drawing = svg.replace(/^<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "");
  return [ours, `<symbol id="${ours}" viewBox="0 0 256 256">${drawing}</symbol>`];
});
// What the first pages need is a file of its own; the macro names the file by the same list.
const macro = readFileSync(join(here, "..", "..", "templates", "components", "icons.html"), "utf8");
const first = new Set([...macro.match(/set first = \(([^)]*)\)/)[1].matchAll(/"([a-z-]+)"/g)].map((found) => found[1]));
for (const [file, wanted] of [["icons-first.svg", (name) => first.has(name)], ["icons.svg", (name) => !first.has(name)]]) {
  const symbols = drawn.filter(([name]) => wanted(name)).map(([, symbol]) => symbol);
  writeFileSync(join(out, file), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
}

for (const [source, file] of [["app.css", "app.css"], ["calculator-alone.css", "calculator.css"]]) await build({
  entryPoints: [join(here, "css", source)],
  outfile: join(out, "css", file),
  bundle: true,
  minify: true,
  charset: "utf8",
  external: ["*.woff2", "*.svg"],
  target: ["chrome100", "safari15", "firefox100"],
  logLevel: "warning",
});

// The calculator's modules as one file: its figures must never be worked out by two versions at once.
await build({
  entryPoints: [join(here, "js", "calculator", "index.js")],
  outfile: join(out, "js", "calculator.js"),
  bundle: true,
  minify: true,
  format: "esm",
  charset: "utf8",
  target: ["chrome100", "safari15", "firefox100"],
  logLevel: "warning",
});
