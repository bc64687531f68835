import { nkeys } from "@nats-io/transport-node";

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** What a server in operator mode needs, and the text of a `.creds` file of a user it lets in: what `nsc` makes. */
export function makeCreds(): { readonly config: string; readonly creds: string; readonly ofSomebodyElse: string } {
  const operator = nkeys.createOperator();
  const [system, account, foreign] = [nkeys.createAccount(), nkeys.createAccount(), nkeys.createAccount()];
  const systemKey = system.getPublicKey();
  const jwtOf = (each: KeyPair, limits: object): string =>
    claim(operator, each, { type: "account", version: 2, limits });
  const config = `
    operator: ${claim(operator, operator, { type: "operator", version: 2, system_account: systemKey })}
    system_account: ${systemKey}
    resolver: MEMORY
    resolver_preload: {
      ${systemKey}: ${jwtOf(system, unlimited)}
      ${account.getPublicKey()}: ${jwtOf(account, { ...unlimited, ...withJetStream })}
    }`;
  return { config, creds: credsOf(account), ofSomebodyElse: credsOf(foreign) };
}

function credsOf(account: KeyPair): string {
  const user = nkeys.createUser();
  const jwt = claim(account, user, { type: "user", version: 2, subs: -1, data: -1, payload: -1 });
  const seed = new TextDecoder().decode(user.getSeed());
  const block = (title: string, text: string): string =>
    `-----BEGIN ${title}-----\n${text}\n------END ${title}------\n\n`;
  return block("NATS USER JWT", jwt) + block("USER NKEY SEED", seed);
}

function claim(issuer: KeyPair, subject: KeyPair, nats: object): string {
  const sub = subject.getPublicKey();
  const body = { jti: `${sub}-1`, iat: 1_767_225_600, iss: issuer.getPublicKey(), name: "test", sub, nats };
  const text = [{ typ: "JWT", alg: "ed25519-nkey" }, body].map((part) => encode(JSON.stringify(part))).join(".");
  return `${text}.${encode(issuer.sign(new TextEncoder().encode(text)))}`;
}

function encode(part: string | Uint8Array): string {
  return Buffer.from(part).toString("base64url");
}

const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
// Not for the system account, where JetStream is not allowed.
const withJetStream = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
