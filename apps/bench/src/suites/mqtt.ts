import { interleave, median, ratio } from "../interleave.ts";
import { bare } from "../mqtt/bare.ts";
import { mosquittoPub } from "../mqtt/mosquitto-pub.ts";
import { mqttjsQos0, mqttjsWindow } from "../mqtt/mqttjs.ts";
import { mqttjsOutage, starcastOutage } from "../mqtt/outage.ts";
import { publishInTurns } from "../mqtt/publishing.ts";
import { startMosquitto } from "../mqtt/site.ts";
import { starcast } from "../mqtt/starcast.ts";
import type { Row, Suite } from "../suite.ts";
import { rowsOf } from "../table.ts";

/** Publishing to a real Mosquitto beside mqtt.js and the C client, and what waits when it comes back. */
export const suite: Suite = async ({ isQuick, say }) => {
  const rounds = isQuick ? 5 : 11;
  const count = isQuick ? 20_000 : 60_000;
  const rows: Row[] = [];
  const mosquitto = await startMosquitto();
  const { url, port } = mosquitto;
  try {
    say("mqtt: QoS 0");
    const qos0 = await publishInTurns(
      { starcast: () => starcast(url, 0), "mqtt.js": () => mqttjsQos0(url) },
      count,
      rounds,
    );
    say("mqtt: QoS 1");
    const qos1 = await publishInTurns(
      {
        starcast: () => starcast(url, 1),
        "mqtt.js, window 256": () => mqttjsWindow(url, 1, 256),
        "mosquitto_pub -l": () => mosquittoPub(port, 1, count),
        "bare socket, window 256": () => bare(url, 256),
      },
      count,
      rounds,
    );
    say("mqtt: QoS 2");
    const qos2 = await publishInTurns(
      { starcast: () => starcast(url, 2), "mqtt.js, window 256": () => mqttjsWindow(url, 2, 256) },
      count / 2,
      rounds,
    );
    say("mqtt: 200 events after an outage");
    const outage = await interleave({ starcast: starcastOutage, "mqtt.js": mqttjsOutage }, isQuick ? 2 : 5);
    // What another process publishes costs this one nothing.
    const inProcess = new Map([...qos1.cpuRates].filter(([name]) => name !== "mosquitto_pub -l"));
    rows.push(...rowsOf("QoS 0", qos0.rates, "events/s"), ...rowsOf("QoS 1", qos1.rates, "events/s"));
    rows.push(...rowsOf("QoS 1, processor time", inProcess, "events/s"));
    rows.push(...rowsOf("QoS 2", qos2.rates, "events/s"), ...rowsOf("200 after an outage", outage, "ms"));
    const ratios = {
      "mqtt.qos0.vsMqttjs": ratio(qos0.rates, "starcast", "mqtt.js"),
      "mqtt.qos1.vsMqttjs": ratio(qos1.rates, "starcast", "mqtt.js, window 256"),
      "mqtt.qos1.cpu.vsMqttjs": ratio(qos1.cpuRates, "starcast", "mqtt.js, window 256"),
      "mqtt.qos1.vsMosquittoPub": ratio(qos1.rates, "starcast", "mosquitto_pub -l"),
      "mqtt.qos1.vsBare": ratio(qos1.rates, "starcast", "bare socket, window 256"),
      "mqtt.qos2.vsMqttjs": ratio(qos2.rates, "starcast", "mqtt.js, window 256"),
      "mqtt.outage200.ms": median(outage.get("starcast") ?? []),
      "mqtt.outage200.mqttjsMs": median(outage.get("mqtt.js") ?? []),
    };
    return { rows, ratios, rounds };
  } finally {
    await mosquitto.end();
  }
};
