import { InvalidOptionError } from "@starcast/core";

/** How to reach an MQTT broker: what the url said, without the credentials that may have been in it. */
export interface MqttTarget {
  readonly protocol: MqttProtocol;
  /** A name or an address; IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** For `ws` and `wss`. */
  readonly path: string;
  /** For people: never holds credentials. */
  readonly text: string;
}

export type MqttProtocol = "mqtt" | "mqtts" | "ws" | "wss";

export interface Credentials {
  readonly username: string;
  readonly password?: string | Uint8Array | undefined;
}

const ports: Readonly<Record<MqttProtocol, number>> = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 };

/** Where a url leads, and the credentials it held, apart. Throws `InvalidOptionError` without repeating the url: it may hold a password. */
export function parseMqttUrl(
  option: string,
  url: unknown,
): { readonly target: MqttTarget; readonly credentials: Credentials | null } {
  const expected = 'a url like "mqtt://localhost", "mqtts://host:8883", "ws://host/mqtt" or "wss://host/mqtt"';
  if (typeof url !== "string" && !(url instanceof URL))
    throw new InvalidOptionError({ option, expected, received: url });
  const parsed = URL.canParse(String(url)) ? new URL(url) : null;
  const protocol = protocolOf(parsed?.protocol);
  // A url that cannot be read may still be one with a password in it.
  if (parsed === null || protocol === null || parsed.hostname === "")
    throw new InvalidOptionError({ option, expected, received: String(url), isSecret: true });
  const isSocket = protocol === "mqtt" || protocol === "mqtts";
  if (parsed.hash !== "" || (isSocket && (parsed.search !== "" || !["", "/"].includes(parsed.pathname)))) {
    throw new InvalidOptionError({
      option,
      expected: `${expected}, without a fragment, and without a path and a query for mqtt and mqtts`,
      received: hidden,
    });
  }
  const port = parsed.port === "" ? ports[protocol] : Number(parsed.port);
  const path = isSocket ? "" : `${parsed.pathname === "" ? "/" : parsed.pathname}${parsed.search}`;
  const target: MqttTarget = {
    protocol,
    hostname: parsed.hostname.replace(/^\[|\]$/g, ""),
    port,
    path,
    text: `${protocol}://${parsed.hostname}:${port}${isSocket ? "" : parsed.pathname}`,
  };
  return { target: Object.freeze(target), credentials: credentialsOf(parsed, option) };
}

// Shown in place of what was received.
const hidden: object = Object.freeze({});

function protocolOf(protocol: string | undefined): MqttProtocol | null {
  switch (protocol) {
    case "mqtt:":
    case "tcp:":
      return "mqtt";
    case "mqtts:":
    case "ssl:":
    case "tls:":
      return "mqtts";
    case "ws:":
      return "ws";
    case "wss:":
      return "wss";
    default:
      return null;
  }
}

function credentialsOf(url: URL, option: string): Credentials | null {
  if (url.username === "" && url.password === "") return null;
  try {
    const username = decodeURIComponent(url.username);
    return url.password === "" ? { username } : { username, password: decodeURIComponent(url.password) };
  } catch (cause) {
    throw Object.assign(
      new InvalidOptionError({
        option,
        expected: "a url whose user name and password are percent-encoded",
        received: hidden,
      }),
      { cause },
    );
  }
}
