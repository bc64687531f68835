import type { Model } from "@starcast/catalog";
import * as newest from "genai-prices-after";
import * as oldest from "genai-prices-before";
import * as weekOlder from "genai-prices-week-before";
import { providerIds } from "./provider-ids.ts";

/** Three dated versions of one real catalog of AI models and their prices. */
export interface PriceLists {
  /** 0.0.56. Some updates from here on are new members of the list's own schema, not new prices. */
  readonly oldest: readonly Model[];
  /** 0.1.7. */
  readonly weekOlder: readonly Model[];
  /** 0.1.8, a week later. */
  readonly newest: readonly Model[];
}

/** Reads the lists out of the packages that carry them; needs no network. */
export function readPriceLists(): PriceLists {
  return { oldest: readModels(oldest), weekOlder: readModels(weekOlder), newest: readModels(newest) };
}

interface PriceList {
  findProvider(options: { readonly providerId: string }): Provider | undefined;
}

interface Provider {
  readonly id: string;
  readonly models: readonly { readonly id: string }[];
}

function readModels(list: PriceList): readonly Model[] {
  return providerIds.flatMap((providerId) => {
    const provider = list.findProvider({ providerId });
    // An older list answers for some unknown ids with a provider that matches roughly.
    if (provider?.id !== providerId) return [];
    return provider.models.map((model): Model => ({ ...model, provider: providerId }));
  });
}
