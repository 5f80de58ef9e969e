// Keys, and what happens to the focus when htmx has put another change into the page. Pages work without all of this.
"use strict";

(() => {
  const one = (selector) => document.querySelector(selector);
  const typing = (target) => target.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
  const smooth = { block: "start" };

  const hunks = () => [...document.querySelectorAll("[data-hunk]")];

  function toHunk(step) {
    const all = hunks();
    const here = all.indexOf(document.activeElement.closest("[data-hunk]"));
    // Without one in focus it goes on from what is at the top of the window.
    const top = all.findIndex((hunk) => hunk.getBoundingClientRect().bottom > 8);
    const wanted = here >= 0 ? here + step : step > 0 ? top : top - 1;
    if (all[wanted]) {
      all[wanted].focus({ preventScroll: true });
      all[wanted].scrollIntoView(smooth);
    } else {
      say(all.length ? `This is the ${step > 0 ? "last" : "first"} hunk of this page.` : "There are no hunks.");
    }
  }

  function follow(key) {
    const link = one(`a[data-key="${key}"]`);
    if (link) {
      link.click();
    } else {
      say(`This is the ${key === "j" ? "last" : "first"} change that waits.`);
    }
  }

  function choose(key) {
    const choice = one(`input[data-key="${key}"]`);
    if (choice) {
      choice.checked = true;
      one("#note").focus();
    }
  }

  function say(text) {
    const live = one("#live");
    live.textContent = "";
    live.textContent = text;
  }

  const actions = {
    n: () => toHunk(1),
    p: () => toHunk(-1),
    j: () => follow("j"),
    k: () => follow("k"),
    q: () => follow("q"),
    g: () => window.scrollTo(0, 0),
    G: () => window.scrollTo(0, document.body.scrollHeight),
    "?": () => one("#help") && one("#help").showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || one("dialog[open]")) {
      return;
    }
    if (typing(event.target)) {
      if (event.key === "Escape" && event.target.id === "note") {
        event.target.blur();
        event.target.form.reset();
      }
      return;
    }
    const action = actions[event.key] || ("srud".includes(event.key) && one("#verdict") && (() => choose(event.key)));
    if (action && one("[data-keys]")) {
      event.preventDefault();
      action();
    }
  });

  function arrived() {
    document.querySelectorAll(".keys").forEach((hint) => { hint.hidden = false; });
    const told = one("[data-say]");
    if (told) {
      say(told.textContent);
    }
  }

  // After a verdict the focus goes to what is wrong with it, or to the beginning of the change that came.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "main") {
      return;
    }
    (one("#wrong") || one("#main")).focus();
    arrived();
  });
  document.addEventListener("htmx:beforeRequest", (event) => event.target.setAttribute("aria-busy", "true"));
  for (const failed of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failed, (event) => {
      event.target.removeAttribute("aria-busy");
      const place = one("#failed");
      if (place) {
        place.hidden = false;
        place.focus();
      }
    });
  }
  document.addEventListener("DOMContentLoaded", arrived);
})();
