import { describe, expect, it } from "vitest";
import { parseMqttUrl } from "./mqtt-url.ts";

describe("the url of an MQTT broker", () => {
  it.each([
    ["mqtt://localhost", { protocol: "mqtt", hostname: "localhost", port: 1883, path: "" }],
    ["tcp://10.0.0.1:2000/", { protocol: "mqtt", hostname: "10.0.0.1", port: 2000, path: "" }],
    ["mqtts://[::1]", { protocol: "mqtts", hostname: "::1", port: 8883, path: "" }],
    ["ws://host/mqtt?tenant=a", { protocol: "ws", hostname: "host", port: 80, path: "/mqtt?tenant=a" }],
    ["wss://host", { protocol: "wss", hostname: "host", port: 443, path: "/" }],
  ])("%s is understood", (url, target) => {
    expect(parseMqttUrl("url", url).target).toMatchObject(target);
    expect(parseMqttUrl("url", new URL(url)).target).toMatchObject(target);
  });

  it("gives its credentials apart, decoded, and says itself without them", () => {
    const { target, credentials } = parseMqttUrl("url", "mqtts://me:p%40ss@host:9000");
    expect(credentials).toEqual({ username: "me", password: "p@ss" });
    expect(target.text).toBe("mqtts://host:9000");
    expect(JSON.stringify(target)).not.toMatch(/me:|p@ss|p%40ss/);
  });

  it.each([
    "http://host",
    "host:1883",
    "mqtt://",
    "mqtt://host/path",
    "mqtt://host?clientId=x",
    "ws://host#x",
    "mqtt://u:secret@host:99999",
    "mqtt://u:secr%zzet@host",
    7,
  ])("refuses %s without repeating it", (url) => {
    expect(() => parseMqttUrl("url", url)).toThrow(/Expected `url` to be a url/);
    expect(() => parseMqttUrl("url", url)).not.toThrow(/secr/);
  });
});

it("of a url that cannot be read only the length is shown", () => {
  expect(() => parseMqttUrl("url", "localhost:1883")).toThrow("a text of 14 characters");
});
