/** One line of the printed table: a situation, a contender, what was measured. */
export interface Row {
  readonly situation: string;
  readonly contender: string;
  readonly value: number;
  readonly unit: string;
  readonly spread: readonly [min: number, max: number];
}

/** What a suite found: rows for people, ratios for the record. */
export interface Outcome {
  readonly rows: readonly Row[];
  readonly ratios: Readonly<Record<string, number>>;
  readonly rounds: number;
}

export interface SuiteOptions {
  /** Fewer rounds and clients: minutes become seconds, the ratios noisier. */
  readonly isQuick: boolean;
  readonly say: (line: string) => void;
}

export type Suite = (options: SuiteOptions) => Promise<Outcome>;
