import { signal } from "@preact/signals";

/** `auto` is what the system says. */
export type Theme = "auto" | "light" | "dark";

const key = "starcast-theme";
const next: Readonly<Record<Theme, Theme>> = { auto: "light", light: "dark", dark: "auto" };

export const theme = signal<Theme>(readTheme());

/** Puts the theme where the style sheet looks for it. */
export function applyTheme(): void {
  const { dataset } = document.documentElement;
  if (theme.value === "auto") delete dataset["theme"];
  else dataset["theme"] = theme.value;
}

/** System, light, dark, and again. */
export function turnTheme(): void {
  theme.value = next[theme.value];
  applyTheme();
  try {
    localStorage.setItem(key, theme.value);
  } catch {
    // A browser that keeps nothing for this page forgets it with the page.
  }
}

function readTheme(): Theme {
  try {
    const kept = localStorage.getItem(key);
    if (kept === "light" || kept === "dark") return kept;
  } catch {
    // Denied: as if nothing were kept.
  }
  return "auto";
}
