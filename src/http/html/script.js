"use strict";
// Everything here is a convenience: each page works without it.
(() => {
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);

  // A password can be looked at while it is typed.
  each("button[data-reveals]", (button) => {
    const input = button.parentElement.querySelector("input");
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
      input.focus();
    });
    // What is sent is a password again, or browsers would not offer to keep it.
    input.form.addEventListener("submit", () => { input.type = "password"; });
  });

  // A code is sent when its last digit is there, once; spaces from a paste are no part of it.
  each("input[data-digits]", (input) => {
    const wanted = Number(input.dataset.digits);
    let sent = false;
    const hint = input.parentElement.querySelector(`[data-announces="${input.id}"]`);
    if (hint) {
      hint.hidden = false;
      input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") ?? ""} ${hint.id}`.trim());
    }
    input.addEventListener("input", (event) => {
      if (event.isComposing) return;
      const code = input.value.normalize("NFKC").replace(/[\s-]/g, "");
      if (code !== input.value && /^\d*$/.test(code)) input.value = code;
      const others = [...input.form.elements].filter((one) => one.required && !one.value);
      if (!sent && code.length === wanted && /^\d+$/.test(code) && others.length === 0) {
        sent = true;
        input.form.requestSubmit();
      }
    });
    // Who comes back to the page may try again.
    addEventListener("pageshow", () => { sent = false; });
  });

  // Recovery codes can be kept in three ways.
  each("[data-keeps]", (bar) => {
    const codes = [...document.querySelectorAll(bar.dataset.keeps)].map((one) => (one.matches("input") ? one.value : one.textContent).trim());
    const text = codes.join("\n") + "\n";
    const said = bar.querySelector("[role=status]");
    const acts = {
      copy: () => navigator.clipboard.writeText(text).then(
        () => { said.textContent = bar.dataset.copied; },
        () => { said.textContent = bar.dataset.refused; },
      ),
      save: () => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
        link.download = bar.dataset.file;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      },
      print: () => print(),
    };
    bar.hidden = false;
    bar.querySelectorAll("button[data-does]").forEach((button) => {
      button.hidden = button.dataset.does === "copy" && !navigator.clipboard;
      button.addEventListener("click", acts[button.dataset.does]);
    });
  });

  // Moments are written in UTC, and shown in the visitor's own time.
  each("time[datetime]", (time) => {
    const at = new Date(time.dateTime);
    if (isNaN(at)) return;
    const parts = { hour: "numeric", minute: "2-digit" };
    const more = "clock" in time.dataset ? { timeZoneName: "short" } : { year: "numeric", month: "short", day: "numeric" };
    time.title = time.textContent;
    time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, { ...parts, ...more }).format(at);
  });

  // How hard a new password is to guess is asked while it is typed.
  each("[data-weighs]", (box) => {
    const input = document.getElementById(box.dataset.weighs);
    const [meter, level, text] = ["meter", "strong", "span"].map((name) => box.querySelector(name));
    let waiting = 0, asked = 0;
    const ask = async () => {
      const mine = (asked += 1);
      const sent = new URLSearchParams();
      for (const name of ["form_token", "username", "email", "display_name", "password"]) {
        const field = input.form.elements[name];
        if (field) sent.append(name, field.value.slice(0, 100));
      }
      const reply = await fetch(box.dataset.asks, { method: "POST", body: sent, mode: "same-origin", redirect: "error" });
      if (!reply.ok) return;
      const said = await reply.json();
      // Of two answers, the later question's counts.
      if (mine !== asked) return;
      box.hidden = false;
      meter.value = said.score;
      if (level.textContent !== said.level) level.textContent = said.level;
      if (text.textContent !== said.text) text.textContent = said.text;
    };
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      if (input.value) waiting = setTimeout(() => ask().catch(() => {}), 400);
      else { asked += 1; box.hidden = true; }
    });
  });
})();
