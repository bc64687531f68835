/** A filter, and what it means said once more by other means: the oracle must not believe the matcher under test. */
export interface Sieve {
  readonly types?: readonly string[];
  readonly subjects?: readonly string[];
  matches(event: { readonly type: string; readonly subject: string | undefined }): boolean;
}

export const types: readonly string[] = ["alpha.one", "alpha.two", "beta.one", "beta.deep.two"];
export const subjects: readonly (string | undefined)[] = [undefined, "s/1", "s/2", "t/1"];

export const sieves: readonly Sieve[] = [
  { matches: () => true },
  { matches: () => true },
  { types: ["alpha.*"], matches: ({ type }) => type.startsWith("alpha.") },
  { types: ["beta.**"], matches: ({ type }) => type.startsWith("beta.") },
  { types: ["alpha.one", "beta.deep.two"], matches: ({ type }) => type === "alpha.one" || type === "beta.deep.two" },
  { subjects: ["s/*"], matches: ({ subject }) => subject?.startsWith("s/") === true },
  { types: ["*.one"], subjects: ["s/1"], matches: ({ type, subject }) => type.endsWith(".one") && subject === "s/1" },
  { subjects: ["s/2", "t/1"], matches: ({ subject }) => subject === "s/2" || subject === "t/1" },
  { types: ["nobody.publishes"], matches: () => false },
];
