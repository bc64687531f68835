// `npm run bench -- chart`: draws docs/speed.svg from the results of the last runs. A run of `websocket` or `sse` does too.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

type Ratios = Readonly<Record<string, unknown>>;

interface Bar {
  readonly label: string;
  readonly value: number;
}

interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** Deliveries per second of server CPU, each panel against its first bar; returns the file, seen from the root. */
export async function drawChart(): Promise<string> {
  const [websocket, sse] = await Promise.all([read("websocket"), read("sse")]);
  const panels = [
    ...(websocket === null ? [] : situations.map((each) => panelOf(websocket, "ws", each, websocketPeers))),
    ...(sse === null ? [] : situations.slice(0, 2).map((each) => panelOf(sse, "sse", each, ssePeers))),
  ];
  const file = "docs/speed.svg";
  await writeFile(fileURLToPath(new URL(`../../../${file}`, import.meta.url)), draw(panels));
  return file;
}

interface Situation {
  readonly name: string;
  readonly title: string;
}

const situations: readonly Situation[] = [
  { name: "single", title: "1 event per turn" },
  { name: "turn16", title: "16 events per turn" },
  { name: "burst1000", title: "1,000 events at once" },
];

/** Label and name in the ratios; the first is what the others are measured against. */
type Peers = readonly (readonly [label: string, suffix: string])[];

const websocketPeers: Peers = [
  ["ws, a loop of send", "vsWs"],
  ["socket.io", "vsSocketIo"],
  ["Bun pub/sub (in Bun)", "vsBun"],
];

const ssePeers: Peers = [
  ["node:http, res.write", "vsHttp"],
  ["better-sse", "vsBetterSse"],
];

function panelOf(ratios: Ratios, transport: "ws" | "sse", { name, title }: Situation, peers: Peers): Panel {
  const over = (suffix: string): number => {
    const value = ratios[`${transport}.${name}.${suffix}`];
    if (typeof value !== "number")
      throw new Error(`Expected ${transport}.${name}.${suffix} in the results: run the suite`);
    return value;
  };
  const [[, base] = ["", ""]] = peers;
  const own = over(base);
  return {
    title: `${transport === "ws" ? "WebSocket" : "SSE"}, ${title}`,
    bars: [
      ...peers.map(([label, suffix]) => ({ label, value: own / over(suffix) })),
      { label: "Starcast", value: own },
    ],
  };
}

async function read(suite: string): Promise<Ratios | null> {
  try {
    return JSON.parse(await readFile(new URL(`../results/${suite}.json`, import.meta.url), "utf8")) as Ratios;
  } catch (error) {
    // Not run yet: the chart shows what was.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

const width = 760;
const left = 170;
const longest = 500;
const rowHeight = 22;
const titleHeight = 34;

function draw(panels: readonly Panel[]): string {
  const parts: string[] = [];
  let top = 58;
  for (const { title, bars } of panels) {
    parts.push(`<text x="16" y="${top + 20}" class="title">${title}</text>`);
    top += titleHeight;
    // Each panel has a scale of its own: 1 and 100 on one would show nothing of the first.
    const most = Math.max(...bars.map(({ value }) => value));
    for (const { label, value } of bars) {
      const length = Math.max(2, (value / most) * longest).toFixed(1);
      const kind = label === "Starcast" ? "ours" : "theirs";
      parts.push(
        `<text x="${left - 8}" y="${top + 13}" text-anchor="end">${label}</text>`,
        `<rect x="${left}" y="${top + 2}" width="${length}" height="${rowHeight - 7}" rx="2" class="${kind}"/>`,
        `<text x="${left + Number(length) + 6}" y="${top + 13}" class="${kind}-value">${format(value)}</text>`,
      );
      top += rowHeight;
    }
    top += 8;
  }
  const height = top + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>Deliveries per second of server CPU, Starcast beside its peers</title>
<style>
text { font: 12px system-ui, sans-serif; fill: #57606a }
.head { font-size: 15px; font-weight: 600; fill: #1f2328 }
.title { font-size: 13px; font-weight: 600; fill: #1f2328 }
.ours { fill: #0a7d5a }
.theirs { fill: #b6bfc8 }
.ours-value { font-weight: 600; fill: #0a7d5a }
</style>
<rect width="${width}" height="${height}" rx="6" fill="#ffffff"/>
<text x="16" y="28" class="head">Deliveries per second of server CPU</text>
<text x="16" y="47">1,000 clients, 200-byte events; the first bar of each group is 1. Each group has its own scale.</text>
${parts.join("\n")}
</svg>
`;
}

function format(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)}x`;
}
