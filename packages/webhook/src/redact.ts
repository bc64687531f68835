/** Shorter values would redact half of every answer, and guard nothing. */
export const shortestSecret = 6;

const mark = "[redacted]";

/**
 * A receiver's text without these secrets, in whatever form it may have echoed them, and without the beginning of one
 * where the text was cut off within it.
 */
export function redact(text: string, secrets: readonly string[]): string {
  if (text.length < shortestSecret) return text;
  let shown = text;
  let said = text.toLowerCase();
  const forms = secrets.filter(({ length }) => length >= shortestSecret).flatMap(formsOf);
  for (const form of forms) {
    // Hardly any receiver echoes: a pattern is made only for one that does.
    if (!said.includes(form.toLowerCase())) continue;
    shown = shown.replace(new RegExp(escaped(form), "gi"), mark);
    said = shown.toLowerCase();
  }
  const cut = Math.max(0, ...forms.map((form) => begunAtEnd(said, form.toLowerCase())));
  return cut === 0 ? shown : shown.slice(0, -cut) + mark;
}

function formsOf(secret: string): readonly string[] {
  return [...new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])];
}

/** How much of the secret's beginning the text ends with; 0 when it is too short to say anything. */
function begunAtEnd(text: string, secret: string): number {
  for (let length = secret.length - 1; length >= shortestSecret; length -= 1)
    if (text.endsWith(secret.slice(0, length))) return length;
  return 0;
}

function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
