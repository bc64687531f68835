import { execFileSync } from "node:child_process";
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeWith, findService } from "../../../tests/services.ts";
import { MqttPublisher, type MqttPublisherOptions } from "../src/index.ts";
import { Collector, firstSeen, upTo } from "./collector.ts";
import { House } from "./house.ts";
import { freePort } from "../../../tests/free-port.ts";
import { Mosquitto } from "../../../tests/mosquitto.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

describeWith("mosquitto", "a Mosquitto behind locks", (program) => {
  let mosquitto: Mosquitto;
  let house: House;
  beforeEach(async () => {
    mosquitto = await Mosquitto.start(program);
    ends.push(() => mosquitto.end());
    house = new House({ drain: { spreadMs: 0, deadlineMs: 500 } });
    ends.push(() => house.broker.close());
  });

  async function restart(config: readonly string[]): Promise<void> {
    await mosquitto.kill();
    await mosquitto.start(config);
  }

  function publisher(options: Partial<MqttPublisherOptions> & { readonly url: string }): MqttPublisher {
    return new MqttPublisher(house.broker, { topic: "t/{subject}", ...options });
  }

  async function publishesTo(collector: Collector): Promise<void> {
    ends.push(() => collector.end());
    await house.publish(...upTo(50));
    await collector.until(() => collector.events.length === 50);
    expect(firstSeen(collector.events)).toEqual(upTo(50));
  }

  function withPassword(): readonly string[] {
    const file = join(mosquitto.folder, "passwords");
    // Its own format: $7$, rounds, salt and hash of PBKDF2 with SHA-512.
    const [rounds, salt] = [101, randomBytes(12)];
    const hash = pbkdf2Sync("p@ss/word", salt, rounds, 64, "sha512");
    writeFileSync(file, `starcast:$7$${rounds}$${salt.toString("base64")}$${hash.toString("base64")}\n`, {
      mode: 0o600,
    });
    return ["allow_anonymous false", `password_file ${file}`];
  }

  it.each([
    ["in the url", (port: number) => ({ url: `mqtt://starcast:p%40ss%2Fword@127.0.0.1:${port}` })],
    [
      "in the options",
      (port: number) => ({
        url: `mqtt://127.0.0.1:${port}`,
        credentials: { username: "starcast", password: "p@ss/word" },
      }),
    ],
    [
      "from a function",
      (port: number) => ({
        url: `mqtt://127.0.0.1:${port}`,
        credentials: async () => ({ username: "starcast", password: Buffer.from("p@ss/word") }),
      }),
    ],
  ])("opens to a password %s", async (_where, options) => {
    await restart(withPassword());
    publisher(options(mosquitto.port));
    await publishesTo(await Collector.of(mosquitto.url, "#", { username: "starcast", password: "p@ss/word" }));
  });

  it.each(["5", "3.1.1"] as const)(
    "stays shut to a wrong one, said without the password, with MQTT %s",
    async (protocol) => {
      await restart(withPassword());
      publisher({ url: `mqtt://starcast:wrong-secret@127.0.0.1:${mosquitto.port}`, connection: { protocol } });
      const { error, retryInMs, url } = await house.seen("mqttDisconnected");
      expect(error).toMatchObject({ code: "not_authorized", remedy: "credentials" });
      expect(retryInMs).toBeNull();
      expect(`${url} ${error.message}`).not.toContain("wrong-secret");
    },
  );

  it("opens to a websocket", async () => {
    const port = await freePort();
    await restart([`listener ${mosquitto.port} 127.0.0.1`, `listener ${port} 127.0.0.1`, "protocol websockets"]);
    publisher({ url: `ws://127.0.0.1:${port}/mqtt`, connection: { headers: { "x-tenant": "a" } } });
    await publishesTo(await Collector.of(mosquitto.url, "#"));
  });

  it("loses nothing of what its access list refuses for now", async () => {
    const list = join(mosquitto.folder, "list");
    writeFileSync(list, "topic read #\ntopic write starcast/#\n", { mode: 0o600 });
    await restart([`acl_file ${list}`]);
    const blocked = publisher({ url: mosquitto.url, connection: { longWaitMs: 60_000 } });
    await house.publish(0);
    const { error } = await house.seen("mqttPublicationRefused");
    expect(error).toMatchObject({
      code: "not_authorized",
      reasonCode: 0x87,
      message: expect.stringContaining("allow this client to publish"),
    });
    await restart([]);
    const collector = await Collector.of(mosquitto.url, "#");
    ends.push(() => collector.end());
    blocked.reconnect();
    await collector.until(() => collector.events.length === 1);
    expect(house.broker.eventsDropped).toBe(0);
  });

  const openssl = findService("openssl");
  it.skipIf(openssl === undefined)("opens to a client certificate over TLS, and to nobody without", async () => {
    const { folder } = mosquitto;
    const run = (...args: readonly string[]): void =>
      void execFileSync(openssl ?? "", args, { cwd: folder, stdio: "ignore" });
    run(
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-subj",
      "/CN=test ca",
      "-days",
      "2",
    );
    for (const name of ["localhost", "client"]) {
      run(
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.csr`,
        "-subj",
        `/CN=${name}`,
        "-addext",
        `subjectAltName=DNS:${name}`,
      );
      run(
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-out",
        `${name}.pem`,
        "-days",
        "2",
        "-copy_extensions",
        "copy",
      );
    }
    const file = (name: string): Buffer => readFileSync(join(folder, name));
    const port = await freePort();
    const webPort = await freePort();
    const inFolder = (name: string): string => join(folder, name);
    const certificates = [
      `cafile ${inFolder("ca.pem")}`,
      `certfile ${inFolder("localhost.pem")}`,
      `keyfile ${inFolder("localhost.key")}`,
    ];
    await restart([
      `listener ${mosquitto.port} 127.0.0.1`,
      `listener ${port} 127.0.0.1`,
      ...certificates,
      "require_certificate true",
      `listener ${webPort} 127.0.0.1`,
      "protocol websockets",
      ...certificates,
    ]);
    const url = `mqtts://127.0.0.1:${port}`;
    const trusted = { ca: file("ca.pem"), servername: "localhost" };
    publisher({ url, name: "stranger", connection: { tls: trusted, protocol: "5" } });
    expect((await house.seen("mqttDisconnected")).error).toMatchObject({ code: "connection_failed" });
    const second = house.moments.length;
    publisher({ url, name: "distrustful", connection: { tls: { servername: "localhost" }, protocol: "5" } });
    expect((await house.seen("mqttDisconnected", second)).error.message).toMatch(/SELF_SIGNED|UNABLE|self-signed|TLS/);
    publisher({ url, connection: { tls: { ...trusted, cert: file("client.pem"), key: file("client.key") } } });
    await publishesTo(await Collector.of(mosquitto.url, "#"));
    // A websocket is verified by the same authority and the same name.
    publisher({ url: `wss://127.0.0.1:${webPort}`, name: "web", topic: "w/{subject}", connection: { tls: trusted } });
    await publishesTo(await Collector.of(mosquitto.url, "w/#"));
  });
});
