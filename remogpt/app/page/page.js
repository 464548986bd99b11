// What gradio's components lack for screen readers: a place whose changes are read aloud, and names of groups.
(() => {
  "use strict";
  let last = "";

  /** Read the status that changed: one line for all steps of a progress, and every other line. */
  function announce(status) {
    const live = document.getElementById("rg-live");
    const words = status.querySelector("progress") ? status.textContent.split(",")[0].trim() : status.textContent;
    if (!live || words === last) return;
    live.setAttribute("aria-live", status.classList.contains("error") ? "assertive" : "polite");
    live.textContent = last = words;
  }

  /** A fieldset's name stands in its first span, which no reader connects with it. */
  function nameGroups() {
    for (const group of document.querySelectorAll("fieldset:not([aria-label])")) {
      const name = group.querySelector("[data-testid=block-info]")?.textContent.trim();
      if (name) group.setAttribute("aria-label", name);
    }
  }

  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      for (const node of [target, ...addedNodes]) {
        const element = node instanceof Element ? node : node.parentElement;
        const status = element?.closest(".rg-status") || (element !== target && element?.querySelector(".rg-status"));
        if (status) announce(status);
      }
    }
    if (changes.some(({ addedNodes }) => [...addedNodes].some((node) => node instanceof Element))) nameGroups();
  }).observe(document.documentElement, { childList: true, characterData: true, subtree: true });
})();
