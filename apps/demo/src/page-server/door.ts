import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { judgeHost, judgeOrigin, visitOfNode } from "@starcast/core/gateway";
import type { Authorize } from "@starcast/core/gateway";

/** The cookie that carries the token after the page was opened with it. */
export const tokenCookie = "starcast_demo";

/** Who may see the page, push its buttons and connect to the gateways: everybody on loopback, else who knows the token. */
export class Door {
  /** For the receivers of the demo's own, who come in like everybody else. */
  readonly token: string | null;
  readonly #digest: Buffer | null;

  constructor(token: string | null) {
    this.token = token;
    this.#digest = token === null ? null : digestOf(token);
  }

  /** The same judgement for the gateways. */
  readonly authorize: Authorize = (visitor) => {
    return this.isToken(visitor.token) || this.isToken(visitor.cookie(tokenCookie)) ? { identity: null } : null;
  };

  isToken(token: string | null): boolean {
    if (this.#digest === null) return true;
    return token !== null && timingSafeEqual(digestOf(token), this.#digest);
  }

  /** Null when the request may be answered, else why not: a foreign Host or Origin, or no token. */
  objectionTo(request: IncomingMessage): { readonly status: number; readonly message: string } | null {
    const { headers, isLoopbackListener } = visitOfNode(request, "sse");
    const host = headers.get("host");
    const origin = headers.get("origin");
    const objection =
      judgeHost({ host, isLoopbackListener, allowedHosts: null }) ??
      (origin === null ? null : judgeOrigin({ origin, host, hasCookies: true, allowedOrigins: [] }));
    if (objection !== null) return objection;
    const cookie = new RegExp(`(?:^|; )${tokenCookie}=([A-Za-z0-9_-]+)`).exec(headers.get("cookie") ?? "")?.[1] ?? null;
    if (this.isToken(cookie)) return null;
    return { status: 401, message: "Open the page with the address the demo printed, which holds the token." };
  }
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
