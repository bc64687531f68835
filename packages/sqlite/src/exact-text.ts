/**
 * Text as a SQLite column gives it back exactly: a NUL ends a text for some drivers, and a lone surrogate has no UTF-8.
 * Such texts, and those that begin with the mark, are kept as JSON behind a mark; all others as they are, to be read in a shell.
 */
export function toColumn(text: string): string {
  return text.startsWith(mark) || text.includes("\0") || loneSurrogate.test(text) ? mark + JSON.stringify(text) : text;
}

export function fromColumn(column: string): string {
  // Behind the mark is what `toColumn` wrote.
  return column.startsWith(mark) ? (JSON.parse(column.slice(mark.length)) as string) : column;
}

const mark = "\u0001";
const loneSurrogate = /\p{Surrogate}/u;
