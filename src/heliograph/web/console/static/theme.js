// Puts the chosen theme on before the first paint, so that a reload never flashes. A plain script for that reason.
"use strict";
(function () {
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch (unavailable) {
    // A browser that keeps nothing for this site: the system's own theme is right.
    document.documentElement.dataset.storage = "none";
  }
})();
