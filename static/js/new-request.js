// While a name, a number or an address is typed, who may have asked before is shown above the form. Without script the first press
// of Save shows the same. What is typed travels in the body of a request, so that no address or log holds it.
(() => {
  "use strict";
  const form = document.getElementById("new-request");
  const place = document.getElementById("same-person");
  if (!form || !place) return;
  const fields = ["name", "phone", "email"].map((name) => form.elements[name]);
  const PAUSE = 400; // milliseconds without a letter
  let waits = 0;
  let asked = 0;

  async function look() {
    const body = new FormData();
    fields.forEach((field) => body.append(field.name, field.value));
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken?.value ?? "");
    const mine = ++asked;
    try {
      const answer = await fetch(place.dataset.address, { method: "POST", body, redirect: "error" });
      if (!answer.ok || mine !== asked) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (place.textContent.trim() === page.body.textContent.trim()) return; // nothing new to announce
      place.replaceChildren(...page.body.childNodes);
    } catch {
      // Offline, or signed out: the press of Save says so, and keeps what was typed.
    }
  }

  form.addEventListener("input", (event) => {
    if (!fields.includes(event.target)) return;
    clearTimeout(waits);
    waits = setTimeout(look, PAUSE);
  });

  // A browser gives nothing back on this form, so it asks before what was typed here is left behind.
  let unsaved = Boolean(document.querySelector(".errornote"));
  form.addEventListener("input", () => { unsaved = true; });
  form.addEventListener("submit", () => { unsaved = false; });
  addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

  // Only what the kind of request needs is shown.
  const OF_KIND = {
    contact_by: ["consultation"], may_leave_voicemail: ["consultation"], may_say_who_calls: ["consultation"],
    best_time: ["consultation", "question"], sheet: ["report"], description: ["consultation", "question"],
  };
  function fit() {
    const kind = form.elements.kind.value;
    for (const [name, kinds] of Object.entries(OF_KIND)) {
      const field = form.elements[name];
      const part = (field.length && !field.options ? field[0] : field).closest(".step-field");
      if (part) part.hidden = !kinds.includes(kind) && !(name === "description" && field.value);
    }
  }
  form.addEventListener("change", fit);
  fit();
})();
