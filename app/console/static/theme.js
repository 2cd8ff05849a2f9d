// Before the first paint: the theme somebody chose, else the system's.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("usher-theme"); } catch { /* private mode: the system decides */ }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    document.documentElement.dataset.theme = chosen || (dark.matches ? "dark" : "light");
  };
  dark.addEventListener("change", apply);
  apply();
  window.usherTheme = {
    toggle() {
      chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      try { localStorage.setItem("usher-theme", chosen); } catch { /* holds for this page only */ }
      apply();
      return chosen;
    },
  };
})();
