// Triage in the page: what a consultant rules here is kept in this browser and exported as the file that `--triage` reads. Nothing shown above changes by it.
(() => {
  const kept = document.getElementById("rulings");
  const start = document.getElementById("theme");
  if (!kept || !start) return;

  const DECISIONS = [["", "not ruled on"], ["confirmed", "confirmed"], ["false positive", "false positive"], ["accepted risk", "accepted risk"], ["note", "note only"]];
  const FIELDS = [["reason", "Reason", "text", "whole"], ["owner", "Owner", "text", ""], ["until", "Until", "date", ""], ["note", "Note", "text", "whole"], ["by", "Ruled by", "text", ""], ["date", "On", "date", ""]];
  const NEEDED = { "false positive": ["reason"], "accepted risk": ["reason", "owner", "until"], note: ["note"] };
  const store = `auditor-triage/${kept.dataset.name}`;
  const nameOf = (ruling) => ruling.fingerprint || `item ${ruling.item}`;
  const make = (tag, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };

  // The rulings by finding or item: those the report was made with, then what was kept here since.
  const given = () => new Map(JSON.parse(kept.dataset.rulings).map((ruling) => [nameOf(ruling), ruling]));
  const load = () => {
    const rulings = given();
    try {
      for (const ruling of JSON.parse(localStorage.getItem(store) ?? "[]")) {
        if (typeof ruling?.item === "string") rulings.set(nameOf(ruling), ruling);
      }
    } catch {
      // nothing kept, or the browser keeps nothing for files
    }
    return rulings;
  };
  const rulings = load();
  const save = () => {
    try {
      localStorage.setItem(store, JSON.stringify([...rulings.values()]));
      return true;
    } catch {
      return false;
    }
  };
  const missing = (ruling) => (NEEDED[ruling.decision] ?? []).filter((name) => !ruling[name]);

  // The file, as TOML: basic strings, in the order of the report.
  const quoted = (text) => `"${text.replace(/[\\"\u0000-\u001f\u007f]/g, (c) => (c === "\\" || c === '"' ? `\\${c}` : `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`))}"`;
  const table = (ruling) => {
    const pairs = ruling.fingerprint ? [["fingerprint", ruling.fingerprint], ["item", ruling.item], ["path", ruling.path]] : [["id", ruling.item]];
    pairs.push(["decision", ruling.decision], ...FIELDS.map(([name]) => [name, ruling[name]]));
    const lines = pairs.filter(([, value]) => value).map(([name, value]) => `${name} = ${quoted(value)}`);
    return [ruling.fingerprint ? "[[finding]]" : "[[item]]", ...lines].join("\n");
  };
  const ready = () => [...rulings.values()].filter((ruling) => ruling.decision && !missing(ruling).length);
  const toml = () => ["# Rulings on findings; read by `auditor render REPORT.json --triage FILE` and `auditor audit PATH --triage FILE`.", ...ready().map(table), ""].join("\n\n");

  let bar = null;
  const say = () => {
    const text = (map) => JSON.stringify([...map.values()].map((one) => [nameOf(one), one.decision, ...FIELDS.map(([name]) => one[name] ?? "")]).filter(([, decision]) => decision).sort());
    const unfinished = [...rulings.values()].filter((ruling) => ruling.decision && missing(ruling).length).length;
    const state = text(rulings) === text(given()) ? "As this report was made." : "Triage not yet applied: export it and render the report again with --triage.";
    bar.querySelector("p").textContent = `${ready().length} rulings. ${state}${unfinished ? ` ${unfinished} unfinished, left out of the file.` : ""}`;
  };

  const form = (key) => {
    const box = make("div", { className: "triage-form" });
    const choice = make("select");
    for (const [value, label] of DECISIONS) choice.append(make("option", { value, textContent: label }));
    const inputs = FIELDS.map(([name, label, type, extra]) => {
      const input = make("input", { type, name });
      return [name, input, make("label", { className: extra }, label, input)];
    });
    const warning = make("p", { className: "missing" });
    warning.setAttribute("role", "status");
    const show = () => {
      const ruling = rulings.get(nameOf(key)) ?? {};
      choice.value = ruling.decision ?? "";
      for (const [name, input, label] of inputs) {
        input.value = ruling[name] ?? "";
        label.hidden = !choice.value;
      }
      warning.textContent = missing(ruling).length ? `Still needed: ${missing(ruling).join(", ")}.` : "";
    };
    box.addEventListener("input", () => {
      const ruling = { ...key, decision: choice.value };
      for (const [name, input] of inputs) ruling[name] = input.value.trim();
      rulings.set(nameOf(key), ruling);
      const complete = save();
      const open = missing(ruling);
      for (const [, , label] of inputs) label.hidden = !choice.value;
      warning.textContent = open.length ? `Still needed: ${open.join(", ")}.` : complete ? "" : "This browser keeps nothing for this page: export before you close it.";
      say();
    });
    box.append(make("label", {}, "Ruling", choice), ...inputs.map(([, , label]) => label), warning);
    show();
    return box;
  };

  const begin = () => {
    for (const item of document.querySelectorAll("details.item.is-fail, details.item.is-partial")) {
      const id = item.id.replace(/^item-/, "");
      const places = item.querySelectorAll("[data-fingerprint]");
      for (const place of places) {
        const key = { item: id, fingerprint: place.dataset.fingerprint, path: place.dataset.path };
        if (key.fingerprint) place.append(form(key));
      }
      const whole = make("details", { className: "more triage-whole" }, make("summary", { textContent: "Rule on the item as a whole" }), form({ item: id, fingerprint: "", path: "" }));
      item.querySelector(".item-body").append(whole);
    }
    const exported = make("button", { type: "button", textContent: "Export triage.toml" });
    exported.addEventListener("click", () => {
      const link = make("a", { href: URL.createObjectURL(new Blob([toml()], { type: "application/toml" })), download: "triage.toml" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
    const copied = make("button", { type: "button", textContent: "Copy" });
    copied.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(toml());
        copied.textContent = "Copied";
      } catch {
        copied.textContent = "Copying is not allowed here";
      }
      setTimeout(() => (copied.textContent = "Copy"), 2000);
    });
    const state = make("p");
    state.setAttribute("role", "status");
    bar = make("div", { className: "triage-bar" }, state, exported, copied);
    bar.setAttribute("role", "region");
    bar.setAttribute("aria-label", "Triage");
    document.querySelector("main").append(bar);
    say();
  };

  const button = make("button", { type: "button", className: "quiet", id: "triage", textContent: "Triage" });
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") === "true";
    button.setAttribute("aria-pressed", String(!on));
    if (on) {
      for (const node of document.querySelectorAll(".triage-form, .triage-whole, .triage-bar")) node.remove();
      bar = null;
    } else {
      begin();
    }
  });
  start.after(" ", button);
})();
