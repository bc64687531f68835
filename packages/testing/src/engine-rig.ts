import { afterEach } from "vitest";

/** Closes at the end of each test what was opened in it, last first. Call it inside a `describe`. */
export function closesAfterEach(): <Opened extends { close(): unknown }>(opened: Opened) => Opened {
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (let last = opened.pop(); last !== undefined; last = opened.pop()) await last.close();
  });
  return (each) => {
    opened.push(each);
    return each;
  };
}

/** The code of what a promise rejects with; null when it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return null;
  } catch (error) {
    return typeof error === "object" && error !== null && "code" in error ? error.code : error;
  }
}
