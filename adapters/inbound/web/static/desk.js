// Keys of the desk, on top of what Tab, Enter and Space do without any script.
// Single letters can be switched off (WCAG 2.1.4) and never act while somebody is writing, in a
// dialog, or together with Ctrl, Alt or Meta, which belong to the browser and to screen readers.
"use strict";

(() => {
  const CHOICE = "trettio-keys";
  const find = (selector) => document.querySelector(selector);
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.checkVisibility());
  const rowOf = (element) => element?.closest?.("[data-row]");
  const linkOf = (row) => row.querySelector("a[href]");

  const isOn = () => {
    try { return localStorage.getItem(CHOICE) !== "off"; } catch { return true; }
  };
  const turn = (on) => {
    try { localStorage.setItem(CHOICE, on ? "on" : "off"); } catch { /* then only for this page */ }
  };
  const isWriting = (element) =>
    element.isContentEditable ||
    /^(TEXTAREA|SELECT)$/.test(element.tagName) ||
    (element.tagName === "INPUT" && !/^(checkbox|radio|submit|button)$/.test(element.type));

  const move = (by) => {
    const all = rows();
    const at = all.indexOf(rowOf(document.activeElement));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    if (next) {
      linkOf(next)?.focus();
      next.scrollIntoView({ block: "nearest" });
    }
  };

  const choose = () => rowOf(document.activeElement)?.querySelector("input[type=checkbox]")?.click();

  const help = (open) => {
    const dialog = find("[data-keys-dialog]");
    if (!dialog) return;
    find("[data-keys-on]").checked = isOn();
    if (open && !dialog.open) dialog.showModal();
    if (!open) dialog.close();
  };

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    x: choose,
    a: () => find("[data-assign]")?.focus(),
    "/": () => find("[data-search]")?.focus(),
    "?": () => help(true),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (isWriting(event.target) || event.target.closest("dialog") || !isOn()) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (!act) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-open]")) help(true);
    if (event.target.closest("[data-keys-close]")) help(false);
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-keys-on]")) turn(event.target.checked);
    const boxes = [...document.querySelectorAll("[data-row] input[type=checkbox]")];
    if (event.target.matches("[data-choose-all]")) {
      for (const box of boxes) box.checked = event.target.checked;
    } else if (boxes.includes(event.target)) {
      const all = find("[data-choose-all]");
      if (all) all.checked = boxes.every((box) => box.checked);
    }
  });

  // Where only the list was loaded anew: say so to those who do not see it, and where that failed,
  // go there as a browser without script would.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "main") return;
    find("[data-said]").textContent = find("main h1").textContent.replace(/\s+/g, " ").trim();
  });
  for (const failure of ["htmx:responseError", "htmx:sendError"]) {
    document.addEventListener(failure, (event) => {
      location.assign(event.detail.xhr.responseURL || event.detail.pathInfo.requestPath);
    });
  }

  // What only a script can do is shown only where there is one.
  for (const one of document.querySelectorAll("[data-keys]")) one.hidden = false;
})();
