import { interleave, median, ratio } from "../interleave.ts";
import { mosquittoPub } from "../mqtt/mosquitto-pub.ts";
import { mqttjsQos0, mqttjsWindow } from "../mqtt/mqttjs.ts";
import { mqttjsOutage, starcastOutage } from "../mqtt/outage.ts";
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
    const qos0 = await interleave(
      { starcast: () => starcast(url, 0, count), "mqtt.js": () => mqttjsQos0(url, count) },
      rounds,
    );
    say("mqtt: QoS 1");
    const qos1 = await interleave(
      {
        starcast: () => starcast(url, 1, count),
        "mqtt.js, window 256": () => mqttjsWindow(url, 1, 256, count),
        "mosquitto_pub -l": () => mosquittoPub(port, 1, count),
      },
      rounds,
    );
    say("mqtt: QoS 2");
    const qos2 = await interleave(
      {
        starcast: () => starcast(url, 2, count / 2),
        "mqtt.js, window 256": () => mqttjsWindow(url, 2, 256, count / 2),
      },
      rounds,
    );
    say("mqtt: 200 events after an outage");
    const outage = await interleave({ starcast: starcastOutage, "mqtt.js": mqttjsOutage }, isQuick ? 2 : 5);
    rows.push(...rowsOf("QoS 0", qos0, "events/s"), ...rowsOf("QoS 1", qos1, "events/s"));
    rows.push(...rowsOf("QoS 2", qos2, "events/s"), ...rowsOf("200 after an outage", outage, "ms"));
    const ratios = {
      "mqtt.qos0.vsMqttjs": ratio(qos0, "starcast", "mqtt.js"),
      "mqtt.qos1.vsMqttjs": ratio(qos1, "starcast", "mqtt.js, window 256"),
      "mqtt.qos1.vsMosquittoPub": ratio(qos1, "starcast", "mosquitto_pub -l"),
      "mqtt.qos2.vsMqttjs": ratio(qos2, "starcast", "mqtt.js, window 256"),
      "mqtt.outage200.ms": median(outage.get("starcast") ?? []),
      "mqtt.outage200.mqttjsMs": median(outage.get("mqtt.js") ?? []),
    };
    return { rows, ratios, rounds };
  } finally {
    await mosquitto.end();
  }
};
