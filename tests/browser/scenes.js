// The pages in a real browser. One scene a run: node scenes.js NAME
import { base, check, code, launch, look, lookInForcedColours, open, tabTo } from "./lib.js";

const P = "/_vestibule";
const { SETUP, INVITE, NAME, PASSWORD, SECRET, RECOVERY } = process.env;
const GOOD = "tulip zeppelin moraine sandbag";

async function givePassword(page, target = `${P}/account`) {
  await page.goto(`${base}${P}/login?rd=${encodeURIComponent(target)}`);
  await page.fill("#username", NAME);
  await page.fill("#password", PASSWORD);
  await page.press("#password", "Enter");
}

/** Types a new password and waits for what is said of it. */
async function weigh(page, password, level) {
  await page.fill("#password", "");
  await page.locator("#password").pressSequentially(password);
  await page.locator(".strength strong", { hasText: level }).waitFor();
}

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
    const moments = await page.locator("time").evaluateAll((all) => all.map((one) => [one.textContent, one.title]));
    check(moments.length > 3, "the account has moments");
    for (const [here, there] of moments) {
      check(!here.includes("UTC") && there.endsWith("UTC"), `a moment is in the visitor's own time: ${here}, ${there}`);
    }
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
    await page.goto(`${base}${P}/logout`);
    await tabTo(page, "main form button");
    await page.keyboard.press("Enter");
    await page.waitForSelector("main a.button");
    await look(page, "signed-out");
    await page.goto(`${base}${P}/login`);
    await lookInForcedColours(page, "sign-in");
  },

  /** What administrators see. */
  async console(browser) {
    const page = await open(browser);
    await signIn(page, 0, `${P}/admin`);
    await look(page, "admin-overview");
    if (!process.env.LOCALE) await lookInForcedColours(page, "admin-overview");
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
    await page.fill("[name=token_name]", "backup");
    await page.press("[name=token_name]", "Enter");
    await page.waitForSelector("input.secret");
    await look(page, "admin-token");
    await page.goto(`${base}${P}/admin/users/bob`);
    await page.fill("[name=email]", "not an address");
    await page.press("[name=email]", "Enter");
    await page.waitForSelector("[role=alert]");
    check((await page.getAttribute("#email", "aria-invalid")) === "true", "the field at fault is marked");
    await look(page, "admin-user-refused");
    await page.goto(`${base}${P}/admin/users/bob/remove`);
    await look(page, "admin-remove");
    await page.goto(`${base}${P}/admin/sessions`);
    await look(page, "admin-sessions");
    await page.goto(`${base}${P}/admin/audit`);
    await look(page, "admin-audit");
    await page.goto(`${base}${P}/admin/audit?user=nobody-is-called-so`);
    await look(page, "admin-audit-none");
  },

  /** Somebody adds themselves, and hears how easily their password is guessed. */
  async registration(browser) {
    const page = await open(browser);
    await page.goto(`${base}${P}/login`);
    await page.click("main p a");
    await page.waitForURL("**/register*");
    check(!(await page.locator("meter").isVisible()), "nothing is weighed that was not typed");
    await look(page, "register");
    await tabTo(page, "#username");
    await page.keyboard.type("rosalind");
    await weigh(page, "Rosalind1998", "Easy to guess");
    check((await page.locator("meter").evaluate((meter) => meter.value)) < 3, "the meter shows it");
    check((await page.locator(".strength span").textContent()).includes("known about you"), "and why");
    await look(page, "register-weak");
    await lookInForcedColours(page, "register-weak");
    await weigh(page, GOOD, "Very hard to guess");
    await look(page, "register-strong");
    await page.fill("#password", "");
    await page.locator("meter").waitFor({ state: "hidden" });
    await page.fill("#password", "qwertyuiop");
    await page.fill("#password_again", "qwertyuiop");
    await page.press("#password_again", "Enter");
    await page.waitForSelector("[role=alert]");
    check(await page.locator("meter").isVisible(), "a refused password is weighed");
    await look(page, "register-refused");
    await page.fill("#password", GOOD);
    await page.fill("#password_again", GOOD);
    await page.press("#password_again", "Enter");
    await page.waitForURL("**/account*");
  },

  /** Somebody comes with a link. */
  async invitation(browser) {
    const page = await open(browser);
    await page.goto(INVITE);
    await look(page, "invitation");
    await weigh(page, GOOD, "Very hard to guess");
    await page.fill("#password_again", GOOD);
    await page.press("#password_again", "Enter");
    await page.waitForURL("**/account*");
  },

  /** Somebody has to choose another password. */
  async forced_change(browser) {
    const page = await open(browser);
    await givePassword(page);
    await page.waitForURL("**/password*");
    await look(page, "password-forced");
    await page.fill("#password", PASSWORD);
    await page.fill("#password_again", PASSWORD);
    await page.press("#password_again", "Enter");
    await page.waitForSelector("[role=alert]");
    await look(page, "password-forced-refused");
    await page.fill("#password", GOOD);
    await page.fill("#password_again", GOOD);
    await page.press("#password_again", "Enter");
    await page.waitForURL("**/account*");
  },

  /** Somebody tries too often. */
  async lockout(browser) {
    const page = await open(browser, { timezoneId: "Asia/Tokyo" });
    await page.goto(`${base}${P}/login`);
    for (let n = 0; n < 4; n += 1) {
      await page.fill("#username", NAME);
      await page.fill("#password", `not the password, ${n}`);
      await page.press("#password", "Enter");
      await page.waitForSelector("[role=alert]");
    }
    const until = page.locator("[role=alert] time");
    check(/\d:\d\d.*GMT\+9/.test(await until.textContent()), `in Tokyo: ${await until.textContent()}`);
    check((await until.getAttribute("title")).endsWith("UTC"), "and in UTC");
    await look(page, "locked");
  },

  /** Somebody whose phone has the time of ten minutes ago. */
  async clock_off(browser) {
    const page = await open(browser);
    await givePassword(page);
    await page.waitForURL("**/second-factor*");
    for (const steps of [-15, -14]) {
      await page.locator("#code").pressSequentially(code(SECRET, steps));
      await page.waitForSelector("[role=alert]");
      await page.waitForFunction(() => document.querySelector("#code").value === "");
    }
    check((await page.locator("[role=alert]").textContent()).includes("clock"), "the clock is named");
    await look(page, "clock-off");
    await page.locator("#code").pressSequentially(code(SECRET));
    await page.waitForURL("**/account*");
  },

  /** Somebody has come to the last of their recovery codes. */
  async last_codes(browser) {
    const codes = JSON.parse(RECOVERY);
    const page = await open(browser);
    for (const [at, one] of codes.entries()) {
      await page.context().clearCookies();
      await givePassword(page, "/dashboard");
      await page.waitForURL("**/second-factor*");
      await page.click("summary");
      await page.fill("#recovery_code", one);
      await page.press("#recovery_code", "Enter");
      const left = codes.length - 1 - at;
      await page.waitForURL(left > 3 ? "**/dashboard" : "**/recovery-codes*");
      if (left === 3) await look(page, "few-codes-left");
      if (left === 0) await look(page, "no-codes-left");
    }
  },

  /** Somebody adds an authenticator of their own accord, and takes it away again. */
  async own_authenticator(browser) {
    const page = await open(browser);
    await givePassword(page);
    await page.waitForURL("**/account*");
    await look(page, "account-without-authenticator");
    await page.goto(`${base}${P}/enroll`);
    await look(page, "own-enrolment");
    const text = await page.locator("main").innerText();
    const secret = text.match(/\b[A-Z2-7]{4}( ?[A-Z2-7]{4}){7}\b/)[0];
    await page.fill("#code", code(secret, -1));
    await page.press("#code", "Enter");
    await page.waitForSelector(".codes li");
    await look(page, "own-recovery-codes");
    await page.goto(`${base}${P}/enroll`);
    await tabTo(page, "summary");
    await page.keyboard.press("Enter");
    await tabTo(page, "#removal-current_password");
    await page.keyboard.type("not the password");
    await tabTo(page, "#removal-code");
    await page.keyboard.type("000000");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[role=alert]");
    check(await page.locator("#removal-code").isVisible(), "what was tried stays open");
    await look(page, "removal-refused");
    await page.fill("#removal-current_password", PASSWORD);
    await page.fill("#removal-code", code(secret));
    await page.press("#removal-code", "Enter");
    await page.waitForURL("**/account*");
    check((await page.locator("main").innerText()).includes("No authenticator"), "it is gone");
  },

  /** Somebody is signed in at many places. */
  async many_places(browser) {
    const page = await open(browser);
    for (let n = 0; n < 12; n += 1) {
      await page.context().clearCookies();
      await givePassword(page);
      await page.waitForURL("**/account*");
    }
    await look(page, "account-many-places");
    await tabTo(page, "nav.pages a[rel=next]");
    await page.keyboard.press("Enter");
    await page.waitForURL("**places=2*");
    check((await page.locator(".place").count()) === 2, "what is left is on the second page");
    await tabTo(page, ".place button");
    await page.keyboard.press("Enter");
    await page.waitForURL("**places=2*");
    await page.waitForFunction(() => document.querySelectorAll(".place").length === 1);
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
