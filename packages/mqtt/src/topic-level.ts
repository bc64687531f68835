/**
 * One value as one MQTT topic level, injective: `+ # / % $`, controls, non-characters and lone surrogates become `%XX` per
 * UTF-8 byte, everything else stays. Two values never give the same level, and `decodeURIComponent` reads it back.
 */
export function escapeLevel(value: string): string {
  return mustEscape.test(value) ? value.replace(eachToEscape, percentEncode) : value;
}

/** The value that a level was made of. Throws `URIError` for a level that `escapeLevel` cannot have made of well-formed text. */
export function unescapeLevel(level: string): string {
  return decodeURIComponent(level);
}

// MQTT 5, sections 1.5.4 and 4.7: wildcards, the separator and NUL must not, controls and non-characters should not stand
// in a topic name; a leading `$` belongs to the MQTT broker. `%` makes the escape itself readable, and the byte order mark
// is dropped by some decoders.
const escaped = "[+#/%$\\u0000-\\u001f\\u007f-\\u009f\\ufeff\\p{Noncharacter_Code_Point}\\p{Surrogate}]";
const mustEscape = new RegExp(escaped, "u");
const eachToEscape = new RegExp(escaped, "gu");

function percentEncode(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x80) return percent(point);
  if (point < 0x800) return percent(0xc0 | (point >> 6)) + tail(point, 0);
  // A lone surrogate gets the three bytes its code point would have: no well-formed text has them.
  if (point < 0x10000) return percent(0xe0 | (point >> 12)) + tail(point, 6) + tail(point, 0);
  return percent(0xf0 | (point >> 18)) + tail(point, 12) + tail(point, 6) + tail(point, 0);
}

function tail(point: number, shift: number): string {
  return percent(0x80 | ((point >> shift) & 0x3f));
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
