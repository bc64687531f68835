/** Why an order of the page was not carried out; stable words. */
export type OrderErrorCode = "unknown_order" | "invalid_input" | "too_large" | "not_json" | "not_possible" | "failed";

const statuses: Readonly<Record<OrderErrorCode, number>> = {
  unknown_order: 400,
  invalid_input: 400,
  too_large: 413,
  not_json: 415,
  not_possible: 409,
  failed: 503,
};

/** An order that was not carried out, and what to do about it. */
export class OrderError extends Error {
  override readonly name = "OrderError";
  readonly code: OrderErrorCode;

  constructor(code: OrderErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  get status(): number {
    return statuses[this.code];
  }
}
