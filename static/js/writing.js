// The page on which a sheet is written. Everything works without this; with it the preview follows what is typed, which is kept on
// our own server every few seconds, buttons write the signs of a text, and sections are dragged to their place. The forms of what sheets
// share, of red flags and of wordings keep what is typed, and the first two say who else has them open. In the other forms of the desk
// the browser asks before it loses what was typed.
(() => {
  "use strict";
  // Each frame of a preview begins at one place, and would move this page to itself. A frame makes “scroll” events too.
  if (document.querySelector(".side-by-side") && performance.getEntriesByType("navigation")[0]?.type === "navigate") {
    let isMoved = false;
    for (const sign of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(sign, () => { isMoved = true; }, { passive: true });
    addEventListener("load", () => setTimeout(() => {
      if (!isMoved) (document.getElementById(location.hash.slice(1)) ?? document.body).scrollIntoView();
    }));
  }
  const form = document.querySelector(".writing form, .change-form #content-main form:not([data-draft]), .flag-form, #wording_form");
  if (!form) return;
  const QUIET = 900, PULSE = 30_000; // milliseconds without a letter before it is kept, and between two signs of life
  const RETRY = 5_000; // milliseconds after which it asks whether somebody has signed in again
  const body = document.getElementById("id_body"), kind = document.getElementById("id_kind"), proof = document.getElementById("proof");
  const said = document.getElementById("kept"), others = document.getElementById("others");
  let dirty = false, leaving = false, failed = false, timer = 0, asked = 0;

  const send = async (name, { keepalive = false, whole = true } = {}) => {
    const sent = whole ? new FormData(form) : new FormData();
    for (const [field, value] of [...sent]) if (value instanceof File) sent.delete(field);
    sent.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken?.value ?? "");
    sent.set(name, "yes");
    const answer = await fetch(location.href, {
      method: "POST", body: new URLSearchParams(sent), keepalive, redirect: "error", headers: { "X-Requested-With": "fetch" },
    });
    if (!answer.ok) throw new Error("not kept");
    return answer.json();
  };
  const showOthers = (list) => {
    if (list.join("\n") === [...others.children].map((each) => each.textContent).join("\n")) return;
    others.replaceChildren(...list.map((each) => Object.assign(document.createElement("p"), { textContent: each })));
  };
  addEventListener("pagehide", () => {
    if (leaving) return;
    if (dirty) send("_keep", { keepalive: true }).catch(() => {});
    if (others) send("_left", { keepalive: true, whole: false }).catch(() => {});
  });
  const pulsing = setInterval(async () => {
    if (document.hidden || !others) return;
    try {
      showOthers((await send("_pulse", { whole: false })).others);
    } catch {
      clearInterval(pulsing);
    }
  }, PULSE);
  form.addEventListener("submit", (event) => { leaving = event.submitter?.formTarget !== "_blank"; clearTimeout(timer); });
  addEventListener("pageshow", () => { leaving = false; });
  const write = (before, after = "", otherwise = "", box = body) => {
    const { selectionStart: from, selectionEnd: to, value } = box;
    const chosen = value.slice(from, to) || otherwise;
    box.focus();
    box.setRangeText(before + chosen + after, from, to, "end");
    if (!value.slice(from, to) && otherwise) box.setSelectionRange(from + before.length, from + before.length + chosen.length);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  form.querySelectorAll(".toolbar button[value$=':Strong']").forEach((button) => {
    const box = button.parentNode.nextElementSibling;
    if (box.readOnly) return;
    button.type = "button";
    button.addEventListener("click", () => write("**", "**", "strong words", box));
  });
  if (!said) {
    let unsaved = Boolean(document.querySelector(".errornote")); // it came back as it was typed
    form.addEventListener("input", () => { unsaved = true; });
    addEventListener("beforeunload", (event) => { if (unsaved && !leaving) event.preventDefault(); });
    return;
  }

  /* --- what is typed is kept --- */
  // After signing in again in another tab there is a new token: the page asks for it before it tries again.
  const askForToken = async () => {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const token = page.querySelector(`#${form.id} [name=csrfmiddlewaretoken]`);
    if (token) form.elements.csrfmiddlewaretoken.value = token.value;
    return Boolean(token);
  };
  const keep = async () => {
    clearTimeout(timer);
    if (!dirty || leaving) return;
    dirty = false;
    const mine = ++asked;
    try {
      const answer = await send("_keep");
      failed = false;
      if (mine !== asked) return;
      said.textContent = answer.kept;
      if (proof) proof.innerHTML = answer.proof;
      if (answer.others) showOthers(answer.others);
    } catch {
      dirty = failed = true;
      said.textContent = "Not kept. Check your connection, or sign in again in another tab.";
      timer = setTimeout(async () => {
        if (await askForToken().catch(() => false)) keep();
        else timer = setTimeout(keep, PULSE);
      }, RETRY);
    }
  };
  form.addEventListener("input", (event) => {
    if (event.target.name?.startsWith("_")) return;
    dirty = true;
    clearTimeout(timer);
    timer = setTimeout(keep, QUIET);
  });
  const hasFile = () => [...form.querySelectorAll("[type=file]")].some((each) => each.files.length);
  addEventListener("beforeunload", (event) => { if ((failed || hasFile()) && !leaving) event.preventDefault(); });
  if (!form.closest(".writing")) return;

  /* --- the signs of a text --- */
  const lines = (sign) => {
    const { selectionStart: from, selectionEnd: to, value } = body;
    const start = value.lastIndexOf("\n", from - 1) + 1;
    const chosen = value.slice(start, to).split("\n").map((line, number) => `${sign(number)}${line}`).join("\n");
    body.focus();
    body.setRangeText((start && value[start - 2] !== "\n" ? "\n" : "") + chosen, start, to, "end");
    body.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const focusOn = (id) => document.getElementById(id)?.focus();
  if (body && !body.readOnly) {
    const tools = {
      List: () => lines(() => "- "),
      "Numbered list": () => lines((number) => `${number + 1}. `),
      "Small heading": () => {
        const before = body.value.slice(0, body.selectionStart);
        write(`${!before || before.endsWith("\n\n") ? "" : "\n\n"}### `, "\n\n", "Small heading");
      },
      Table: () => {
        // Below a row of a table one more of as many cells; elsewhere the first rows.
        const before = body.value.slice(0, body.selectionEnd);
        const row = before.slice(before.lastIndexOf("\n") + 1) + body.value.slice(body.selectionEnd).split("\n")[0];
        const cells = /^\s*\|.*\|\s*$/.test(row) ? row.split("|").length - 2 : 0;
        const end = before.length + body.value.slice(before.length).split("\n")[0].length;
        body.setSelectionRange(end, end);
        if (cells) write(`\n| ${Array(cells).fill("words").join(" | ")} |`);
        else {
          kind.value = "table";
          write(`${row.trim() ? "\n\n" : ""}| Sign | What to do |\n| --- | --- |\n| words | words |`);
        }
      },
      Link: () => focusOn("page-asked"),
      Source: () => focusOn("source-asked"),
      "Word explained": () => focusOn("word-asked"),
      Picture: () => {
        kind.value = "figure";
        showFigure();
        form.dispatchEvent(new Event("input"));
        focusOn("id_figure-asked");
      },
    };
    const bar = body.parentNode.querySelector(".toolbar");
    for (const [name, act] of Object.entries(tools)) {
      let button = bar.querySelector(`[value="body:${name}"]`);
      // A picture is a section of its own, and so is a table. A heading is for what is folded.
      if (!button && (name === "Table" || name === "Small heading" || (name === "Picture" && body.value.trim()))) continue;
      if (!button) {
        button = Object.assign(document.createElement("button"), { className: "button small", textContent: name });
        bar.append(button);
      }
      button.type = "button";
      button.addEventListener("click", act);
    }
    form.querySelectorAll("button[name=_cite], button[name=_explain]").forEach((button) => {
      button.addEventListener("click", (event) => {
        const field = document.getElementById(button.name === "_cite" ? "source-asked" : "word-asked");
        const list = [...document.getElementById(field.getAttribute("list")).options];
        const named = button.value && button.name === "_cite" ? button.value : field.value.trim();
        const known = list.find((each) => each.value === named || each.dataset.key === named);
        if (!known) return; // the server looks for it
        const chosen = known.dataset.key || known.value;
        event.preventDefault();
        const isCited = button.name === "_cite"; // behind the word, and not in it
        const at = body.selectionEnd + (isCited ? /^\S*/.exec(body.value.slice(body.selectionEnd))[0].length : 0);
        body.setSelectionRange(at, at);
        const beside = /(?:\s*\[@[^\]]*\])*\s*$/.exec(body.value.slice(0, body.selectionEnd))[0];
        if (isCited && (beside.match(/@[A-Z0-9-]+/g) || []).includes(`@${chosen}`)) {
          field.value = ""; // it is cited just there already
          return;
        }
        const isWord = !isCited && /(^|\s)$/.test(body.value.slice(0, body.selectionEnd));
        write(isCited ? ` [@${chosen}]` : isWord ? chosen : ` ${chosen}`);
        field.value = "";
      });
    });
  }

  form.querySelectorAll("button[name=_link]").forEach((button) => button.addEventListener("click", (event) => {
    const field = document.getElementById("page-asked");
    const known = [...document.getElementById("known-pages").options];
    const page = known.find((each) => button.value ? each.dataset.to === button.value : each.value === field.value.trim());
    if (!page || !body || body.readOnly) return; // the server looks for it
    event.preventDefault();
    const isWord = /(^|\s)$/.test(body.value.slice(0, body.selectionStart)) || body.selectionStart !== body.selectionEnd;
    write(isWord ? "[" : " [", `](${page.dataset.to})`, page.value);
    field.value = "";
  }));

  /* --- Enter presses the button beside a search field, and only a figure has a drawing --- */
  form.querySelectorAll(".asking input").forEach((field) => field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    field.parentNode.querySelector("button").click();
  }));
  const drawing = document.querySelector(".field-figure");
  const showFigure = () => {
    drawing?.classList.toggle("hidden", kind.value !== "figure" && !drawing.querySelector("[type=hidden]").value && !drawing.querySelector(".errorlist"));
  };
  if (kind) kind.addEventListener("change", showFigure);
  showFigure();

  /* --- sections dragged to their place, below their own question --- */
  let dragged = null;
  document.querySelectorAll(".parts [data-group] > [data-section]").forEach((row) => {
    row.draggable = true;
    row.addEventListener("dragstart", (event) => {
      dragged = row;
      row.classList.add("dragged");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", row.dataset.section);
    });
    row.addEventListener("dragend", () => { row.classList.remove("dragged"); dragged = null; });
    row.addEventListener("dragover", (event) => { if (dragged && dragged.parentNode === row.parentNode) event.preventDefault(); });
    row.addEventListener("drop", (event) => {
      if (!dragged || dragged === row || dragged.parentNode !== row.parentNode) return;
      event.preventDefault();
      const isBelow = event.clientY > row.getBoundingClientRect().top + row.offsetHeight / 2;
      const rows = [...row.parentNode.querySelectorAll("[data-section]")].filter((each) => each !== dragged);
      const after = rows[rows.indexOf(row) - (isBelow ? 0 : 1)];
      const button = Object.assign(document.createElement("button"), {
        name: "_put", value: `${dragged.dataset.section}:${after ? after.dataset.section : 0}`, hidden: true,
      });
      form.append(button);
      form.requestSubmit(button);
    });
  });
  if (matchMedia("(max-width: 1099px)").matches) document.getElementById("parts").open = location.hash === "#parts";
})();
