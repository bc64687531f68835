import { Buffer } from "node:buffer";

/** Shorter values would redact half of every answer, and guard nothing. */
export const shortestSecret = 6;

/** Shorter parts of a value may be words: `Bearer`, `max-age`. */
const shortestPart = 8;

const mark = "[redacted]";

/**
 * A receiver's text without these secrets, in whatever form it may have echoed them, and without the beginning of one
 * where the text was cut off within it.
 */
export function redact(text: string, secrets: readonly string[]): string {
  if (text.length < shortestSecret) return text;
  let shown = text;
  let said = text.toLowerCase();
  const forms = formsOf(secrets, mayBeBase64.test(text));
  for (const form of forms) {
    // Hardly any receiver echoes: a pattern is made only for one that does.
    if (!said.includes(form)) continue;
    shown = shown.replace(new RegExp(escaped(form), "gi"), mark);
    said = shown.toLowerCase();
  }
  let cut = 0;
  for (const form of forms) cut = Math.max(cut, begunAtEnd(said, form));
  return cut === 0 ? shown : shown.slice(0, -cut) + mark;
}

/** In lower case, and the whole before its parts. */
function formsOf(secrets: readonly string[], withBase64: boolean): readonly string[] {
  const forms = new Set<string>();
  for (const secret of new Set(secrets.flatMap(partsOf))) {
    if (secret.length < shortestSecret) continue;
    for (const form of writtenFormsOf(secret)) forms.add(form.toLowerCase());
    if (withBase64) for (const form of base64FormsOf(secret)) forms.add(form.toLowerCase());
  }
  return [...forms].sort((a, b) => b.length - a.length);
}

/** A value, and what a receiver makes of it: a token without its scheme, a key without its kind, a password. */
function partsOf(value: string): readonly string[] {
  const parts = value.split(/[\s,;="]+/).flatMap((part) => [part, part.replace(/^wh(?:sec|sk)_/, "")]);
  const [, basic] = /^basic +(\S+)$/i.exec(value) ?? [];
  const login = basic === undefined ? "" : Buffer.from(basic, "base64").toString();
  const password = login.slice(login.indexOf(":") + 1);
  return [value, login, password, ...parts.filter((part) => part.length >= shortestPart && part !== value)];
}

/** As it is, in JSON (which PHP writes with `\/`), in a URL, in HTML. */
function writtenFormsOf(secret: string): readonly string[] {
  if (isWrittenAsItIs.test(secret)) return [secret];
  const json = JSON.stringify(secret).slice(1, -1);
  return [secret, json, json.replaceAll("/", "\\/"), encodeURIComponent(secret), htmlOf(secret)];
}

const isWrittenAsItIs = /^[\w.~-]*$/;

const htmlNames: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function htmlOf(secret: string): string {
  return secret.replace(/[&<>"]/g, (each) => htmlNames[each] ?? each);
}

const mayBeBase64 = /[\w+/-]{8}/;

/** What is the same in base64 whatever stands before and after it; a secret may begin at each of three places of a triple. */
function base64FormsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const own = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

/** How much of the secret's beginning the text ends with; 0 when it is too short to say anything. */
function begunAtEnd(text: string, secret: string): number {
  const tail = text.slice(1 - secret.length);
  const begin = secret.slice(0, shortestSecret);
  for (let at = tail.indexOf(begin); at >= 0; at = tail.indexOf(begin, at + 1))
    if (secret.startsWith(tail.slice(at))) return tail.length - at;
  return 0;
}

function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
