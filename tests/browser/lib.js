// What the scenes share: a browser, codes, and what is asked of every page.
import { createHmac } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.BROWSER_MODULES}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const base = process.env.GATEWAY;
export const pictures = process.env.PICTURES;
mkdirSync(pictures, { recursive: true });

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });

/** The code of a secret in base32, so many steps from now. */
export function code(secret, steps = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replace(/[\s=]/g, "")].map((c) => letters.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const hash = createHmac("sha1", key).update(counter).digest();
  return String((hash.readUInt32BE(hash[19] & 15) & 0x7fffffff) % 1000000).padStart(6, "0");
}

export function check(holds, sentence) {
  if (!holds) throw new Error(sentence);
}

/** A page in the language of the run. What our own policy refuses of ours fails the scene. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ locale: process.env.LOCALE ?? "en", ...options });
  const page = await context.newPage();
  page.refused = [];
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) page.refused.push(message.text());
  });
  return page;
}

export const sizes = {
  small: { width: 320, height: 640 },
  phone: { width: 390, height: 844 },
  desk: { width: 1280, height: 900 },
};

/**
 * Looks at the page as it is, in every size, light and dark: nothing for axe to complain about,
 * nothing beyond the edge, and a picture of it.
 */
export async function look(page, name) {
  if (process.env.LOCALE) name += `-${process.env.LOCALE}`;
  for (const scheme of ["light", "dark"]) {
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      const at = `${name}, ${size}, ${scheme}`;
      const overhang = await page.evaluate(
        () => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth,
      );
      check(page.refused.length === 0, `${at}: the policy refused ${page.refused}`);
      check(overhang <= 0, `${at}: ${overhang} px lie beyond the edge`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() =>
        axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
      );
      const said = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`);
      check(violations.length === 0, `${at}: ${said.join("\n")}`);
      if (size !== "small") {
        await page.screenshot({ path: `${pictures}/${name}-${size}-${scheme}.png`, fullPage: true });
      }
    }
  }
  await page.setViewportSize(sizes.phone);
}

/** The same in the few colours that somebody chose for everything, who could not read ours. */
export async function lookInForcedColours(page, name) {
  await page.emulateMedia({ forcedColors: "active", colorScheme: "dark", reducedMotion: "reduce" });
  await page.evaluate(axe);
  // The colours are somebody's own, and axe does not see what the browser makes of them.
  const rules = { "color-contrast": { enabled: false } };
  const { violations } = await page.evaluate((rules) => axe.run({ rules }), rules);
  check(violations.length === 0, `${name}, forced colours: ${violations.map((one) => one.id)}`);
  // What is to be pressed has an edge, and what has the focus a line around it.
  const bare = await page.evaluate(() =>
    [...document.querySelectorAll("main button, main a.button, main input:not([type=hidden], [type=checkbox])")]
      .filter((one) => one.offsetParent && !one.closest(".reveal button"))
      .filter((one) => getComputedStyle(one).borderTopWidth === "0px").map((one) => one.outerHTML),
  );
  check(bare.length === 0, `${name}, forced colours: no edge around ${bare}`);
  await page.keyboard.press("Tab");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  check(outline !== "none", `${name}, forced colours: what has the focus is not told apart`);
  await page.screenshot({ path: `${pictures}/${name}-forced.png`, fullPage: true });
  await page.emulateMedia({ forcedColors: "none" });
}

/** Presses Tab until this has the focus, as somebody without a mouse does. */
export async function tabTo(page, selector, presses = 40) {
  for (let n = 0; n < presses; n += 1) {
    if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the keyboard does not lead to ${selector} on ${page.url()}`);
}
