/* The staff desk's own script. Everything works without it; with it drafts are kept as they are typed, the page says who else is
   here and what is new, a template goes in at the cursor, and single letters lead to the steps. */
"use strict";
(() => {
  const PULSE = 30_000, QUIET = 3_000; // milliseconds between two looks, and without typing before a draft is kept
  const form = document.querySelector("form[data-draft]"); // an enquiry's page, or the one that corrects its details
  const queues = document.querySelector(".queues");
  const list = document.getElementById("result_list");
  const remembered = (name, otherwise) => {
    try { return localStorage.getItem(name) ?? otherwise; } catch { return otherwise; }
  };
  const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* not on this computer */ } };
  const made = (tag, text, className = "") => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  document.querySelectorAll(".needs-script").forEach((each) => { each.hidden = false; });

  /* --- what is typed --- */
  let dirty = false, timer = 0, leaving = false;
  const values = () => {
    const sent = new FormData(form), names = Object.keys(JSON.parse(form.elements.shown.value));
    return Object.fromEntries(names.map((name) => [name, sent.get(name) ?? ""]));
  };
  const keep = async (keepalive = false) => {
    clearTimeout(timer);
    if (!dirty || leaving) return;
    dirty = false;
    const shown = values(), said = document.getElementById("draft-saved");
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Requested-With": "fetch" }, keepalive,
      });
      if (!answer.ok || !answer.headers.get("Content-Type").startsWith("application/json")) throw new Error("not saved");
      form.elements.shown.value = JSON.stringify(shown);
      said.textContent = (await answer.json()).saved;
    } catch {
      dirty = true;
      said.textContent = "Draft not saved. We will try again.";
      timer = setTimeout(keep, PULSE);
    }
  };
  if (form?.elements.shown) {
    form.autocomplete = "off"; // the drafts give back what was typed; a browser would also give back what was sent
    form.addEventListener("input", () => { dirty = true; clearTimeout(timer); timer = setTimeout(keep, QUIET); });
    form.addEventListener("submit", () => { leaving = true; clearTimeout(timer); });
    addEventListener("pageshow", () => { leaving = false; });
    addEventListener("pagehide", () => keep(true));
    form.addEventListener("click", (event) => {
      const button = event.target.closest("[data-text]");
      if (!button) return;
      event.preventDefault();
      const field = form.elements["reply-text"];
      const touched = field.dataset.touched, at = touched ? field.selectionStart : field.value.length;
      const before = field.value.slice(0, at).trimEnd(), after = field.value.slice(at).trim();
      field.setRangeText((before ? "\n\n" : "") + button.dataset.text.trimEnd() + (after ? "\n\n" : "\n"), before.length, at, "end");
      const subject = form.elements["reply-subject"];
      if (subject && !subject.value.trim()) subject.value = button.dataset.subject ?? "";
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    });
    form.elements["reply-text"]?.addEventListener("focus", (event) => { event.target.dataset.touched = "yes"; });
    // Enter in a field of one line presses the button of its own step.
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.isComposing) return;
      const button = event.target.closest("details")?.querySelector("button.button:not(.small)");
      if (!button) return;
      event.preventDefault();
      button.click();
    });
  }

  /* --- what is new --- */
  const ask = async (address) => {
    const answer = await fetch(address, { headers: { "X-Requested-With": "pulse" } });
    if (!answer.ok || !answer.headers.get("Content-Type").startsWith("application/json")) throw new Error("signed out");
    return answer.json();
  };
  const beep = () => {
    const audio = new AudioContext(), tone = audio.createOscillator(), volume = audio.createGain();
    volume.gain.value = 0.1;
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.2); // seconds
  };
  let told = "", fresh = 0;
  const showChanges = (changes) => {
    const words = JSON.stringify(changes.map((each) => [each.what, each.note]));
    if (!changes.length || words === told) return;
    told = words;
    const box = made("section", "", "needs"), rows = document.createElement("ul");
    box.append(made("h2", "Since you opened this page"), rows);
    for (const each of changes) {
      const row = made("li", `${each.what}, ${each.when}`);
      if (each.note) row.append(made("blockquote", each.note));
      rows.append(row);
    }
    document.getElementById("changes").replaceChildren(box);
  };
  const showEnquiry = (news) => {
    const spans = news.viewers.map((each) => made("span", each, "viewing"));
    document.getElementById("viewers").replaceChildren(...spans);
    showChanges(news.changes);
    if (news.flagged && !document.getElementById("safety-lane")) {
      const alarm = made("p", "Possible emergency. Save your draft and reload this page.", "errornote");
      alarm.setAttribute("role", "alert");
      document.getElementById("changes").before(alarm);
    }
  };
  const showQueues = (news) => {
    for (const link of queues.querySelectorAll("[data-queue]")) {
      const count = news.counts[link.dataset.queue];
      link.querySelector("b").textContent = count;
      if (link.hasAttribute("aria-current"))
        document.title = (count ? `(${count}) ` : "") + document.title.replace(/^\(\d+\) /, "");
    }
    if (news.fresh > fresh) {
      const more = made("a", "Show");
      more.href = location.href;
      document.getElementById("fresh").replaceChildren(`${news.fresh} new since you looked. `, more);
      if (document.getElementById("sound")?.checked) beep();
    }
    fresh = news.fresh;
  };
  const pulse = async () => {
    if (document.hidden) return;
    try {
      if (queues) showQueues(await ask(`${queues.dataset.pulse}?since=${encodeURIComponent(queues.dataset.since)}`));
      if (form?.dataset.pulse) showEnquiry(await ask(`${form.dataset.pulse}?seen=${encodeURIComponent(form.elements.seen.value)}`));
    } catch {
      clearInterval(pulsing); // signed out, or no network: the next press says so
    }
  };
  const pulses = Boolean(queues || form?.dataset.pulse), pulsing = pulses ? setInterval(pulse, PULSE) : 0;
  document.addEventListener("visibilitychange", () => { if (pulses) pulse(); });

  /* --- the keyboard --- */
  const sound = document.getElementById("sound"), letters = document.getElementById("shortcuts-on");
  if (sound) {
    sound.checked = remembered("desk-sound", "no") === "yes";
    sound.addEventListener("change", () => { remember("desk-sound", sound.checked ? "yes" : "no"); if (sound.checked) beep(); });
  }
  if (letters) {
    letters.checked = remembered("desk-letters", "yes") === "yes";
    letters.addEventListener("change", () => remember("desk-letters", letters.checked ? "yes" : "no"));
  }
  const open = (...names) => {
    for (const name of names) {
      const step = document.getElementById(`step-${name}`);
      if (!step) continue;
      if (step.tagName === "DETAILS") step.open = true;
      // A reply has a subject of its own already.
      const first = step.querySelector("[name=reply-text]") ?? step.querySelector("textarea, select, input:not([type=hidden])");
      (first ?? step).focus();
      step.scrollIntoView({ block: "nearest" });
      return;
    }
  };
  const along = (by) => {
    const links = [...list.querySelectorAll("tbody th a")];
    const at = links.indexOf(document.activeElement);
    links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
  };
  const turn = (to) => {
    if (list) along(to === "next" ? 1 : -1);
    else form?.querySelector(`button[name=to][value=${to}]`)?.click();
  };
  const search = () => {
    const field = document.getElementById("searchbar");
    if (field) { field.focus(); field.select(); } else if (form) location.assign(`${form.dataset.list}#searchbar`);
  };
  const keys = {
    j: () => turn("next"), k: () => turn("previous"), "/": search,
    c: () => open("call"), r: () => open("reply"), b: () => open("book", "cancel"), n: () => open("handover"),
    w: () => open("wait", "later"), x: () => open("close", "outcome"),
    "?": () => {
      const help = document.getElementById("shortcuts");
      help.open = !help.open;
      help.querySelector("summary").focus();
    },
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("textarea, select, input:not([type=checkbox], [type=radio]), [contenteditable]");
    const act = Object.hasOwn(keys, event.key) && keys[event.key];
    if (!act || typing || event.ctrlKey || event.metaKey || event.altKey || !letters?.checked) return;
    event.preventDefault();
    act();
  });
  if (location.hash === "#searchbar") document.getElementById("searchbar")?.focus();
})();
