/** The bytes of standard base64 with padding, or null unless `text` is the one canonical form of some bytes (RFC 4648, 3.5). */
export function decodeBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.length - padding;
  const bytes = new Uint8Array((digits * 3) >> 2);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let index = 0; index < digits; index += 1) {
    const value = values[text.charCodeAt(index)];
    if (value === undefined || value === notADigit) return null;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at] = (bits >> held) & 0xff;
      at += 1;
    }
  }
  // Left-over bits must be zero: otherwise two texts would stand for the same bytes.
  return (bits & ((1 << held) - 1)) === 0 ? bytes : null;
}

/** Standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; index += 3) {
    const left = bytes.length - index;
    const triple = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    text += digitAt(triple >> 18) + digitAt(triple >> 12);
    text += left > 1 ? digitAt(triple >> 6) : "=";
    text += left > 2 ? digitAt(triple) : "=";
  }
  return text;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const notADigit = 0xff;
const values = new Uint8Array(128).fill(notADigit);
for (let value = 0; value < alphabet.length; value += 1) values[alphabet.charCodeAt(value)] = value;

function digitAt(value: number): string {
  return alphabet.charAt(value & 63);
}
