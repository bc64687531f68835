/** An event in words: what it is about, and what changed, old and new. Everything is text, to be shown as text. */
export function describeEvent({ type, subject = "", data }) {
  if (type === "client.gap") return { kind: "gap", mark: "!", provider: "", name: "gap", details: [told(data)] };
  if (type.startsWith("sync."))
    return { kind: "sync", mark: "·", provider: "", name: type, details: [syncText(type, data)] };
  const kind = type.slice(type.lastIndexOf(".") + 1);
  const slash = subject.indexOf("/");
  const named = { provider: subject.slice(0, slash + 1), name: subject.slice(slash + 1) };
  if (kind === "added") return { kind, mark: "+", ...named, details: [{ text: priceLine(data.model) }] };
  if (kind === "deleted") return { kind, mark: "−", ...named, details: [{ text: "gone" }] };
  if (kind === "updated") return { kind, mark: "~", ...named, details: changeDetails(data) };
  return { kind: "sync", mark: "·", ...named, details: [{ text: type }] };
}

function syncText(type, data) {
  if (type === "sync.started") return { text: `${data.changes} changes follow` };
  return { text: `${data.added} added, ${data.updated} updated, ${data.deleted} deleted` };
}

function told({ reason }) {
  return { text: `will never come: ${reason}` };
}

/** Prices first: they are what people look for. */
function changeDetails({ model, previous, changes = [] }) {
  const prices = priceChanges(previous, model);
  const others = new Set(changes.map(({ path }) => path.split("/")[1] ?? "").filter((member) => member !== "prices"));
  if (prices.length === 0 && changes.some(({ path }) => path.startsWith("/prices"))) others.add("prices");
  const details = [...prices];
  for (const { path, from, to } of changes) {
    if (!isShort(from) || !isShort(to) || path.startsWith("/prices") || path.split("/").length > 2) continue;
    details.push({ label: words(path.slice(1)), from: shortText(from), to: shortText(to) });
    others.delete(path.slice(1));
  }
  const rest = [...others].map(words);
  if (rest.length > 0) details.push({ text: `${rest.join(", ")} changed` });
  return details.slice(0, 3);
}

function priceChanges(previous, model) {
  const [before, after] = [pricesOf(previous), pricesOf(model)];
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ label: priceName(name), from: money(before[name]), to: money(after[name]) }));
}

function priceLine(model) {
  const prices = pricesOf(model);
  const line = ["input_mtok", "output_mtok"].flatMap((name) =>
    name in prices ? [`${priceName(name)} ${money(prices[name])}`] : [],
  );
  return line.length > 0 ? `${line.join(", ")} per million` : "new";
}

/** The newest price per unit; tiers count by their base. */
function pricesOf({ prices } = {}) {
  const newest = Array.isArray(prices) ? prices.at(-1)?.prices : prices;
  const entries = Object.entries(newest ?? {}).map(([name, price]) => [
    name,
    typeof price === "object" ? price?.base : price,
  ]);
  return Object.fromEntries(entries.filter(([, price]) => typeof price === "number"));
}

function priceName(name) {
  return words(name.replace(/_(mtok|kcount)$/, ""));
}

function money(price) {
  if (price === undefined) return "none";
  const text = String(Number(price.toPrecision(6)));
  return `$${/\.\d$/.test(text) ? `${text}0` : text}`;
}

function words(name) {
  return name === "match" ? "matching rules" : name.replaceAll("_", " ");
}

function isShort(value) {
  return (
    value === undefined ||
    typeof value === "number" ||
    typeof value === "boolean" ||
    (typeof value === "string" && value.length <= 40)
  );
}

function shortText(value) {
  return value === undefined ? "none" : String(value);
}
