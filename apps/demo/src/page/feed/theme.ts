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
  localStorage.setItem(key, theme.value);
  applyTheme();
}

function readTheme(): Theme {
  const kept = localStorage.getItem(key);
  return kept === "light" || kept === "dark" ? kept : "auto";
}
