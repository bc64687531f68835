import { reject, type Rejected } from "@starcast/core/gateway";
import { createHash } from "node:crypto";
import { STATUS_CODES } from "node:http";

/** As much of an upgrade request as is judged here; Node gives names in lower case. */
export interface UpgradeRequest {
  readonly method?: string | undefined;
  readonly httpVersion?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** A request that asks for a WebSocket in the right way (RFC 6455, 4.2.1). */
export interface Handshake {
  readonly kind: "handshake";
  readonly key: string;
}

/** Whether this is a WebSocket handshake at all; who may have one is the entrance's to say. Pure. */
export function readHandshake({ method, httpVersion, headers }: UpgradeRequest): Handshake | Rejected {
  const { upgrade, "sec-websocket-key": key, "sec-websocket-version": version } = headers;
  // RFC 9110, 7.8.
  if (httpVersion === "1.0") return malformed("Expected HTTP/1.1 for a WebSocket handshake", 400, {});
  if (method !== "GET") return malformed("Expected method GET for a WebSocket handshake", 405, { allow: "GET" });
  if (typeof upgrade !== "string" || upgrade.toLowerCase() !== "websocket") {
    return malformed("Expected `Upgrade: websocket`", 426, { upgrade: "websocket" });
  }
  if (version !== "13") {
    return malformed("Expected `Sec-WebSocket-Version: 13`", 426, {
      upgrade: "websocket",
      "sec-websocket-version": "13",
    });
  }
  // Node hands it over with what follows the head, where it would be taken for frames.
  if ((headers["content-length"] ?? "0") !== "0" || headers["transfer-encoding"] !== undefined)
    return malformed("Expected a WebSocket handshake without a body", 400, {});
  // 16 bytes in base64: 21 digits, one that carries only 2 bits, and the padding.
  if (typeof key !== "string" || !/^[+/0-9A-Za-z]{21}[AQgw]==$/.test(key))
    return malformed("Expected a Sec-WebSocket-Key of 16 bytes in base64", 400, {});
  return { kind: "handshake", key };
}

/** The head that makes the connection a WebSocket; `protocol` and `extensions` are among those offered. */
export function handshakeHead(key: string, protocol: string | null, extensions: string | null): string {
  const accept = createHash("sha1")
    .update(key + handshakeGuid)
    .digest("base64");
  const chosen = protocol === null ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  const agreed = extensions === null ? "" : `Sec-WebSocket-Extensions: ${extensions}\r\n`;
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}${agreed}\r\n`;
}

/** What an upgrade that is not taken is answered. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A whole HTTP answer, after which the connection ends. */
export function refusalText({ status, code, message, headers }: Refusal): string {
  const body = JSON.stringify({ code, message });
  const fields = Object.entries({
    ...headers,
    connection: headers["upgrade"] === undefined ? "close" : "upgrade, close",
    "content-type": "application/json",
    "cache-control": "no-store",
    "content-length": String(utf8.encode(body).length),
  });
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${head}\r\n${body}`;
}

/** The subprotocols a client offered, in its order. */
export function offeredProtocols({ headers }: UpgradeRequest): readonly string[] {
  const offered = headers["sec-websocket-protocol"];
  return typeof offered === "string" ? offered.split(",").map((protocol) => protocol.trim()) : [];
}

function malformed(message: string, status: number, headers: Readonly<Record<string, string>>): Rejected {
  return { ...reject("bad_request", message), status, headers };
}

const utf8 = new TextEncoder();

// RFC 6455, 1.3.
const handshakeGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
