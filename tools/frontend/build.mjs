// Rebuilds what is committed under crm/static: one stylesheet, the calculator's script, the font files, the icon sprite, the licence texts.
// Run `npm ci && npm run build` here after changing css/, js/, icons.json or a version. Running the program needs no Node.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "..", "crm", "static");
const modules = join(here, "node_modules");
const FONT = join(modules, "@fontsource", "be-vietnam-pro");
const ICONS = join(modules, "@phosphor-icons", "core");

for (const folder of ["css", "fonts", "licences"]) mkdirSync(join(out, folder), { recursive: true });

for (const subset of ["vietnamese", "latin"])
  for (const weight of [400, 600])
    copyFileSync(
      join(FONT, "files", `be-vietnam-pro-${subset}-${weight}-normal.woff2`),
      join(out, "fonts", `be-vietnam-pro-${subset}-${weight}.woff2`),
    );
copyFileSync(join(FONT, "LICENSE"), join(out, "licences", "be-vietnam-pro-OFL.txt"));
copyFileSync(join(ICONS, "LICENSE"), join(out, "licences", "phosphor-icons-MIT.txt"));

const symbols = Object.entries(JSON.parse(readFileSync(join(here, "icons.json"), "utf8"))).map(([ours, theirs]) => {
  const weight = theirs.includes("-fill") ? "fill" : theirs.includes("-bold") ? "bold" : "regular";
  const svg = readFileSync(join(ICONS, "assets", weight, `${theirs}.svg`), "utf8");
  const drawing = svg.replace(/^<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "");
  return `<symbol id="${ours}" viewBox="0 0 256 256">${drawing}</symbol>`;
});
writeFileSync(join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);

await build({
  entryPoints: [join(here, "css", "app.css")],
  outfile: join(out, "css", "app.css"),
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
