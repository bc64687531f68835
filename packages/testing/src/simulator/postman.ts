import { StarcastError, isStarcastError, type Attempt, type Claim, type DeliveryStore } from "@starcast/core";
import type { SeededRandom } from "../seeded-random.ts";
import type { DeliveryAuditor } from "./delivery-auditor.ts";
import { endpointIds } from "./endpoints.ts";
import type { Stage } from "./stage.ts";

export interface PostmanOptions {
  readonly label: string;
  readonly stage: Stage;
  readonly deliveries: DeliveryStore;
  /** Where receivers say what they have, whatever becomes of the one who asked. */
  readonly auditor: DeliveryAuditor;
  readonly now: () => number;
  readonly random: SeededRandom;
}

/** Shorter than some attempts take: then another postman has the delivery before this one has reported. */
const leaseMs = 400;
const maxInFlight = 8;

/** Claims what is due, tries it, and reports: as a delivery loop does, whose receivers are slow, refuse, or never want it. */
export class Postman {
  readonly #options: PostmanOptions;
  #inFlight = 0;
  #isCalm = false;
  #isEnded = false;

  constructor(options: PostmanOptions) {
    this.#options = options;
    this.#later();
  }

  calmDown(): void {
    this.#isCalm = true;
  }

  end(): void {
    this.#isEnded = true;
  }

  #later(): void {
    const { stage, random } = this.#options;
    stage.after(random.integer(20, 200), () => void this.#round());
  }

  async #round(): Promise<void> {
    if (this.#isEnded) return;
    const { deliveries, now, random } = this.#options;
    const limit = maxInFlight - this.#inFlight;
    const room = new Map(endpointIds.map((id) => [id, random.integer(0, 4)]));
    const claims =
      limit === 0
        ? []
        : await this.#asked(
            deliveries.claimDue({
              now: now(),
              limit,
              leaseMs,
              perEndpoint: (id) => (this.#isCalm ? 8 : (room.get(id) ?? 0)),
            }),
          );
    for (const claim of claims ?? []) void this.#try(claim);
    this.#later();
  }

  async #try(claim: Claim): Promise<void> {
    const { label, stage, deliveries, auditor, now, random } = this.#options;
    const { endpointId, event } = claim.delivery;
    const startedAt = now();
    this.#inFlight += 1;
    await new Promise<void>((resolve) => stage.after(random.integer(1, this.#isCalm ? 50 : 600), resolve));
    const outcome = this.#isCalm
      ? "succeeded"
      : random.pick(["succeeded", "succeeded", "refused", "given up", "untried"]);
    stage.trace(`${label} ${outcome}: ${event.id} to ${endpointId}`);
    const attempt: Attempt = {
      at: startedAt,
      tookMs: now() - startedAt,
      category: outcome,
      status: null,
      answer: null,
    };
    if (outcome === "succeeded") {
      auditor.accepted(endpointId, event.id);
      await this.#asked(deliveries.succeed(claim, attempt));
    } else if (outcome === "refused")
      await this.#asked(deliveries.retryAt(claim, attempt, now() + random.integer(0, 500)));
    else if (outcome === "given up") await this.#asked(deliveries.bury(claim, attempt, "exhausted"));
    else await this.#asked(deliveries.release(claim, now()));
    this.#inFlight -= 1;
  }

  /** What is refused as stale, or fails, is somebody else's, or claimed again when its lease ends. */
  async #asked<Result>(asked: Promise<Result>): Promise<Result | null> {
    try {
      return await asked;
    } catch (error) {
      const isKnown = error instanceof StarcastError && isStarcastError(error);
      if (!isKnown) this.#options.stage.report(`${this.#options.label}: the store rejected with ${String(error)}`);
      return null;
    }
  }
}
