// The calculator on a phone: works out the same answer as the server, at once and without a network.
export { Law, Refusal } from "./law.js";
export { quote } from "./quote.js";
export { pension } from "./pensions.js";
export { readAsked } from "./asked.js";
export { tell } from "./tell.js";
export { refused, sheet } from "./sheet.js";
import { start } from "./page.js";

if (typeof document !== "undefined") start(document);
