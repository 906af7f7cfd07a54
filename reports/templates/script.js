"use strict";
// Conveniences only: without this script everything is readable.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const items = all("details.item");
  const field = (id) => document.getElementById(id);

  for (const hidden of all(".filter[hidden], .actions[hidden], #theme[hidden]")) hidden.hidden = false;

  // A link to a folded item or picture opens it.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    if (target) target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  if (location.hash) reveal();
  for (const box of all("[data-opens]")) box.addEventListener("click", () => (location.hash = box.dataset.opens));

  // Print with everything but the passes open.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = all("details:not([open])").filter((node) => !node.matches(".item.is-pass, .item.is-not_applicable, .later, .later *, .family:nth-of-type(n + 5)"));
    for (const node of closed) node.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const node of closed) node.open = false;
  });

  // Filter.
  const texts = new Map();
  const textOf = (node) => {
    if (!texts.has(node)) texts.set(node, node.textContent.toLowerCase());
    return texts.get(node);
  };
  const filter = () => {
    const wanted = ["verdict", "severity", "category", "confidence"].map((name) => [name, field(`by-${name}`).value]).filter(([, value]) => value);
    const fresh = field("by-fresh")?.checked;
    const words = field("by-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const node of items) {
      const fits =
        (!fresh || "fresh" in node.dataset) &&
        wanted.every(([name, value]) => node.dataset[name] === value) &&
        words.every((word) => textOf(node).includes(word));
      node.hidden = !fits;
      shown += fits;
    }
    const active = Boolean(wanted.length || words.length || fresh);
    for (const group of all(".category, .group")) group.hidden = active && !group.querySelector("details.item:not([hidden])");
    field("filter-state").textContent = active ? `${shown} of ${items.length} items shown` : "";
  };
  const form = document.querySelector("form.filter");
  if (form) {
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    field("open-all").addEventListener("click", () => items.forEach((node) => (node.open = true)));
    field("close-all").addEventListener("click", () => items.forEach((node) => (node.open = false)));
  }

  // Tables by any of their columns.
  const value = (row, column) => {
    const text = row.cells[column]?.textContent.trim() ?? "";
    const figure = Number.parseFloat(text.replace(/[,+<%]/g, ""));
    return Number.isNaN(figure) ? text.toLowerCase() : figure;
  };
  const sorted = (table, column, down) => {
    const rows = [...table.tBodies[0].rows];
    const kept = new Map(rows.map((row) => [row, value(row, column)]));
    rows.sort((one, other) => {
      const [a, b] = [kept.get(one), kept.get(other)];
      if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
      return (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
    });
    table.tBodies[0].append(...rows);
  };
  for (const table of all("table[data-sortable]")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        const down = before === "none" ? head.classList.contains("number-cell") : before === "ascending";
        for (const other of heads) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sorted(table, column, down);
      });
    });
  }

  // An item as the text of a ticket.
  const ticket = (item) => {
    const text = (selector) => item.querySelector(selector)?.textContent.trim() ?? "";
    const lines = [`# ${text(".item-title")}`, "", `${text(".id")} (${item.dataset.severity})`, "", text(".reason")];
    for (const pair of all(".words > div", item)) {
      lines.push("", `## ${pair.querySelector("dt").textContent}`, "", pair.querySelector("dd").textContent.trim());
    }
    const places = all(".place", item).map((place) => `- ${place.textContent}`);
    if (places.length) lines.push("", "## Places", "", ...new Set(places));
    return lines.join("\n") + "\n";
  };
  // The same with the rules that keep a coding assistant from going in circles.
  const rules = [
    "Put right what follows, and nothing else. Read the named places first; the list may not be complete, so search for others of the kind.",
    "Write a test that fails because of it, then change the code until it passes. Do not weaken, skip or delete a test, and do not silence the finding.",
    "After two attempts that did not work, go back to the last good state and say what you found out instead of trying again.",
  ];
  const written = { ticket, assistant: (item) => `${rules.join("\n")}\n\n${ticket(item)}` };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const name = button.textContent;
    try {
      await navigator.clipboard.writeText(written[button.dataset.copy](button.closest("details.item")));
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copying is not allowed here";
    }
    setTimeout(() => (button.textContent = name), 2000);
  });

  // Dark or light, against the system's choice.
  field("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = getComputedStyle(root).colorScheme === "dark" || (getComputedStyle(root).colorScheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "light" : "dark";
  });
})();
