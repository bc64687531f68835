import { isStarcastError } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { TopicTemplate, type TopicFacts } from "./topic-template.ts";

function topicOf(template: string, event: Partial<TopicFacts> = {}): string {
  return new TopicTemplate("topic", template).render(eventOf(event));
}

function eventOf(event: Partial<TopicFacts>): TopicFacts {
  return {
    id: "k3f9-7",
    type: "model.added",
    subject: "acme/one",
    data: { provider: "acme", deep: { n: 4, yes: true } },
    ...event,
  };
}

describe("a topic template", () => {
  it.each([
    ["catalog/{type}/{subject}", "catalog/model.added/acme%2Fone"],
    ["catalog/{type:levels}/{subject}", "catalog/model/added/acme%2Fone"],
    ["catalog/{subject:levels}", "catalog/acme/one"],
    ["{data.provider}/v-{data.deep.n}-x/{data.deep.yes}", "acme/v-4-x/true"],
    ["{id}", "k3f9-7"],
    ["a literal topic", "a literal topic"],
  ])("%s renders %s", (template, topic) => {
    expect(topicOf(template)).toBe(topic);
    expect(new TopicTemplate("topic", template).rendererOf("model.added")(eventOf({}))).toBe(topic);
  });

  it.each([
    ["catalog/+/{type}", /without wildcards/],
    ["catalog/#", /without wildcards/],
    ["a\0b", /without wildcards and control characters/],
    ["$SYS/{type}", /does not begin with `\$`/],
    ["$share/group/{type}", /does not begin with `\$`/],
    ["catalog//{type}", /without empty levels/],
    ["/catalog", /without empty levels/],
    ["", /a topic template like/],
    ["{typ}", /no placeholders but/],
    ["{data}", /no placeholders but/],
    ["{data.}", /no placeholders but/],
    ["{id:levels}", /no placeholders but/],
    ["{type", /braces are in pairs/],
    ["type}", /braces are in pairs/],
    ["}{type}", /braces are in pairs/],
    ["{type}{subject}", /at most one placeholder per level/],
    ["x{type:levels}", /stands alone between slashes/],
    ["{type:levels}/{subject:levels}", /at most one `:levels`/],
    [`${"x".repeat(65_536)}`, /at most 65535 bytes/],
    [7, /a topic template like/],
  ])("refuses %j", (template, message) => {
    expect(() => new TopicTemplate("topic", template)).toThrow(message);
  });

  it.each([
    ["{subject}", { subject: undefined }],
    ["{data.missing}", {}],
    ["{data.constructor}", {}],
    ["{data.provider.length}", {}],
    ["{data.deep}", {}],
    ["{data.provider}", { data: { provider: null } }],
    ["{data.provider}", { data: { provider: "" } }],
    ["{data.provider}", { data: null }],
    ["{subject:levels}", { subject: "a//b" }],
    ["{data.provider}", { data: { provider: "x".repeat(70_000) } }],
    ["{data.provider}", { data: { provider: "/".repeat(22_000) } }],
  ])("cannot render %s of %j", (template, event) => {
    const compiled = new TopicTemplate("topic", template);
    expect(() => compiled.render(eventOf(event))).toThrow(
      expect.toSatisfy((error) => isStarcastError(error, "topic_unrenderable")),
    );
  });

  it.each([
    ["catalog/{type}/{subject}", "catalog/+/+"],
    ["catalog/{type:levels}/{subject}", "catalog/#"],
    ["models/v1-{subject}", "models/+"],
  ])("%s is subscribed to by %s", (template, filter) => {
    expect(new TopicTemplate("topic", template).filter).toBe(filter);
  });

  it("has its own number of levels, whatever the values are", () => {
    for (const value of ["a/b", "///", "+", "#", "$SYS/x", "\0", "%2F", "\ud800"]) {
      const topic = topicOf("a/{subject}/{data.provider}/b", { subject: value, data: { provider: value } });
      expect(topic.split("/")).toHaveLength(4);
      expect(topic).not.toMatch(/[+#$\0]/);
    }
  });

  // Reading a topic back proves that two events with different values cannot share it.
  it("renders topics from which the values can be read back", () => {
    const template = new TopicTemplate("topic", "x-{data.provider}-y/{type:levels}/{subject}");
    const values = ["a", "a/b", "%", "a%2Fb", "-y", "x-", "é/+#", "a.b"];
    const types = ["a.b", "a.b.c", "c.a"];
    const seen = new Map<string, string>();
    for (const provider of values) {
      for (const subject of values) {
        for (const type of types) {
          const event = eventOf({ type, subject, data: { provider } });
          const topic = template.render(event);
          expect(template.rendererOf(type)(event)).toBe(topic);
          expect(template.owns(topic), topic).toBe(true);
          expect(seen.has(topic), topic).toBe(false);
          seen.set(topic, JSON.stringify([provider, type, subject]));
        }
      }
    }
  });

  it.each([
    ["m-{subject}/x", "m-/x"],
    ["m-{subject}/x", "m-a/b/x"],
    ["m/{subject}.state", "m/a_state"],
    ["m/{subject:levels}/x", "m/x"],
    ["m/{subject:levels}/x", "m/a//x"],
    ["m/{subject}", "m/a/"],
  ])("%s cannot have given %s", (text, topic) => {
    expect(new TopicTemplate("topic", text).owns(topic)).toBe(false);
  });

  it("knows whether all events about one thing share its topic", () => {
    const isPerSubject = (text: string): boolean => new TopicTemplate("topic", text).isPerSubject;
    expect([isPerSubject("m/{subject}"), isPerSubject("m/{type}/{subject}"), isPerSubject("m")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
