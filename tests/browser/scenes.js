// The pages in a real browser. One scene a run: node scenes.js NAME
import { base, check, code, launch, look, open, tabTo } from "./lib.js";

const P = "/_vestibule";
const { SETUP, NAME, PASSWORD, SECRET } = process.env;

async function signIn(page, steps = 0, target = `${P}/account`) {
  await page.goto(`${base}${P}/login?rd=${encodeURIComponent(target)}`);
  await page.fill("#username", NAME);
  await page.fill("#password", PASSWORD);
  await page.click("main form button:not([data-reveals])");
  await page.waitForURL("**/second-factor*");
  // Its last digit sends it.
  await page.locator("#code").pressSequentially(code(SECRET, steps));
  await page.waitForURL(`**${target}`);
}

const scenes = {
  /** From the setup link to the account, without a mouse. */
  async first_run(browser) {
    const page = await open(browser);
    await page.goto(SETUP);
    await look(page, "setup");
    await tabTo(page, "#username");
    await page.keyboard.type("ann");
    await tabTo(page, "#password");
    await page.keyboard.type("correct horse battery staple");
    await tabTo(page, "#password_again");
    await page.keyboard.type("correct horse battery staple");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/enroll*");
    await look(page, "enrolment");
    const text = await page.locator("main").innerText();
    const secret = text.match(/\b[A-Z2-7]{4}( ?[A-Z2-7]{4}){7}\b/)?.[0];
    check(secret, "the secret is there as text");
    await tabTo(page, "#code");
    await page.keyboard.type(code(secret));
    await page.waitForURL("**/recovery-codes*");
    check((await page.locator(".codes li").count()) === 10, "ten recovery codes");
    await look(page, "recovery-codes");
    const [saved] = await Promise.all([page.waitForEvent("download"), page.click("button[data-does=save]")]);
    check(saved.suggestedFilename().endsWith(".txt"), "the codes can be saved");
    await tabTo(page, "main a.button");
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => !url.pathname.endsWith("/recovery-codes"));
  },

  /** What somebody meets every morning, and what can go wrong. */
  async sign_in(browser) {
    const page = await open(browser);
    await page.goto(`${base}/dashboard`);
    await page.waitForURL("**/login*");
    await look(page, "sign-in");
    const bytes = await page.evaluate(() =>
      performance
        .getEntries()
        .map((entry) => entry.transferSize ?? 0)
        .reduce((sum, size) => sum + size, 0),
    );
    check(bytes > 5 * 1024, `something was loaded: ${bytes} bytes`);
    check(bytes < 30 * 1024, `the whole page weighs ${bytes} bytes`);
    const reveal = page.locator("button[data-reveals=password]");
    await page.fill("#username", NAME);
    await page.fill("#password", "not the password");
    await reveal.click();
    check((await page.getAttribute("#password", "type")) === "text", "a password can be looked at");
    check((await reveal.getAttribute("aria-pressed")) === "true", "and that is said");
    await page.press("#password", "Enter");
    await page.waitForSelector("[role=alert]");
    check((await page.getAttribute("#password", "aria-invalid")) === "true", "the field at fault is marked");
    await look(page, "wrong-password");
    await page.fill("#password", PASSWORD);
    await page.press("#password", "Enter");
    await page.waitForURL("**/second-factor*");
    await look(page, "second-factor");
    await page.fill("#code", "000000").catch(() => {});
    await page.waitForSelector("[role=alert]");
    await look(page, "wrong-code");
    // As pasted from an authenticator that shows it in two parts.
    const [first, second] = code(SECRET).match(/.{3}/g);
    await page.locator("#code").evaluate((input, text) => {
      input.value = text;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }, `${first} ${second}`);
    await page.waitForURL("**/dashboard");
    await page.goto(`${base}${P}/account`);
    await look(page, "account");
    for (const [path, name] of [
      ["/password", "password"],
      ["/enroll", "authenticator"],
      ["/recovery-codes", "codes-left"],
      ["/logout", "sign-out"],
      ["/nowhere", "not-found"],
    ]) {
      await page.goto(`${base}${P}${path}`);
      await look(page, name);
    }
    await page.goto(`${base}${P}/setup?token=spent`);
    await look(page, "link-gone");
    await page.goto(`${base}/forbidden`);
    await look(page, "forbidden");
    await page.goto(`${base}/down`);
    await look(page, "app-down");
  },

  /** What administrators see. */
  async console(browser) {
    const page = await open(browser);
    await signIn(page, 0, `${P}/admin`);
    await look(page, "admin-overview");
    await page.goto(`${base}${P}/admin/users`);
    await look(page, "admin-users");
    await page.goto(`${base}${P}/admin/users?q=nobody-is-called-so`);
    await look(page, "admin-users-none");
    await page.goto(`${base}${P}/admin/users/new`);
    await look(page, "admin-new-user");
    await page.fill("[name=username]", "carol");
    await page.press("[name=username]", "Enter");
    await page.waitForSelector("input.secret, .secret");
    await look(page, "admin-invited");
    await page.goto(`${base}${P}/admin/users/bob`);
    await look(page, "admin-user");
    await page.goto(`${base}${P}/admin/users/bob/remove`);
    await look(page, "admin-remove");
    await page.goto(`${base}${P}/admin/sessions`);
    await look(page, "admin-sessions");
  },

  /** The same without the script. */
  async without_script(browser) {
    const page = await open(browser, { javaScriptEnabled: false });
    await page.goto(`${base}${P}/login?rd=/dashboard`);
    check(!(await page.locator("button[data-reveals]").isVisible()), "nothing to press that does nothing");
    await page.fill("#username", NAME);
    await page.fill("#password", PASSWORD);
    await page.press("#password", "Enter");
    await page.waitForURL("**/second-factor*");
    await page.fill("#code", code(SECRET));
    await page.press("#code", "Enter");
    await page.waitForURL("**/dashboard");
    await page.goto(`${base}${P}/logout`);
    await page.click("main form button");
    await page.goto(`${base}${P}/account`);
    await page.waitForURL("**/login*");
  },
};

const browser = await launch();
try {
  await scenes[process.argv[2]](browser);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser.close();
}
