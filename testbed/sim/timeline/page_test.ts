// A page that somebody opens in a browser: it may ask nobody for anything, may run nothing but its own script,
// whatever a life said, stays of a bounded size, and shows what was there.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createHash } from "node:crypto";
import { drawPlan } from "../life/draw.ts";
import { live } from "../life/life.ts";
import { escapeHtml, timelinePage } from "./page.ts";
import { SCRIPT } from "./page_script.ts";
import { TimelineRecorder } from "./recorder.ts";
import type { Timeline } from "./timeline.ts";

const HOSTILE = `</script><script>alert("x")</script><img src=x onerror='y'>&\u2028 ]]>`;

function timelineOf(seed: number): Timeline {
  const plan = drawPlan(seed, "lite");
  const recorder = new TimelineRecorder({ plan, atMs: undefined });
  const { transcriptHash: hash, events, simulatedMs, counts } = live(plan, {
    observer: recorder,
    eventsMax: 20_000,
  });
  const life = { plan, hash, events, simulatedMs, counts, lastWords: ["1: primary"] };
  return recorder.timeline(
    { ...life, violation: undefined, isCutShort: true, shrunk: () => assert(false) as never },
    null,
  );
}

const TIMELINE = timelineOf(5);

/** A life in which everything that has a text says something hostile. */
function hostile(timeline: Timeline): Timeline {
  return {
    ...timeline,
    violation: HOSTILE,
    size: HOSTILE,
    hash: HOSTILE,
    counts: { [HOSTILE]: 1 },
    lastWords: [HOSTILE],
    messages: timeline.messages.map((message) => ({ ...message, text: HOSTILE, kind: HOSTILE })),
    asked: timeline.asked.map((asked) => ({
      ...asked,
      text: HOSTILE,
      answer: HOSTILE,
      client: HOSTILE,
    })),
    blows: timeline.blows.map((blow) => ({ ...blow, fault: HOSTILE })),
    bands: timeline.bands.map((band) => ({ ...band, detail: HOSTILE, view: HOSTILE })),
  };
}

/** What stands in the element of the script's data. */
function dataIn(page: string): Record<string, unknown[]> {
  const [, text] = /<script type="application\/json" id="life">(.*?)<\/script>/s.exec(page)!;
  return JSON.parse(text!);
}

Deno.test("timelinePage() shows every message, band, fault and operation that was watched", () => {
  const timeline = TIMELINE;
  const data = dataIn(timelinePage(timeline));
  assert(timeline.messages.length > 50 && timeline.bands.length > 5 && timeline.asked.length > 5);
  for (const name of ["messages", "bands", "pauses", "commits", "blows", "asked"] as const) {
    assertEquals(data[name]!.length, timeline[name].length, name);
  }
  assertEquals(timeline.messages.length, timeline.messagesWatched);
  assert(timeline.messages.every(({ atMs, endMs }) => endMs === undefined || endMs >= atMs));
  assert(timeline.bands.every(({ fromMs, toMs }) => toMs >= fromMs && toMs <= timeline.endMs));
});

Deno.test("timelinePage() is the same for the same life", () => {
  assertEquals(timelinePage(TIMELINE), timelinePage(timelineOf(5)));
});

Deno.test("timelinePage() lets no text out of its place, whatever it says", () => {
  const timeline = TIMELINE;
  const page = timelinePage(hostile(timeline));
  assertEquals(page.match(/<script/g)!.length, 2);
  assertEquals(page.match(/<\/script>/g)!.length, 2);
  assert(!page.includes("<img"));
  assertEquals(dataIn(page)["messages"]!.length, timeline.messages.length);
  assertEquals((dataIn(page)["messages"]![0] as unknown[])[6], HOSTILE);
  assertEquals(escapeHtml(`<a href="x">'&`), "&#60;a href=&#34;x&#34;&#62;&#39;&#38;");
});

Deno.test("timelinePage() allows its own script and style by their hashes and nothing else", () => {
  const page = timelinePage(TIMELINE);
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)!;
  const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64");
  const script = page.slice(page.lastIndexOf("<script>") + 8, page.lastIndexOf("</script>"));
  const style = page.slice(page.indexOf("<style>") + 7, page.indexOf("</style>"));
  assertEquals(
    policy,
    `default-src 'none'; script-src 'sha256-${sha256(script)}'; style-src 'sha256-${
      sha256(style)
    }'; ` +
      "base-uri 'none'; form-action 'none'",
  );
  assertEquals(script, SCRIPT);
  assert(
    !/(src|href|action)=|https?:|@import|url\(|style="|\son\w+="/.test(page),
    "asks for something",
  );
});

Deno.test("timelinePage() has every element that its script looks for, each once", () => {
  const page = timelinePage(TIMELINE);
  const ids = [...page.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => id!);
  assertEquals(ids.length, new Set(ids).size);
  const wanted = [...SCRIPT.matchAll(/getElementById\("([\w-]+)"\)/g)].map(([, id]) => id!);
  const [, buttons] = /const BUTTONS = \{ (.*) \};/.exec(SCRIPT)!;
  const named = [...buttons!.matchAll(/(\w+)(?::|,| |$)/g)].map(([, id]) => id!);
  assert(wanted.length >= 6);
  for (const id of wanted) assert(ids.includes(id), id);
  for (const [, id] of page.matchAll(/<button id="(\w+)"/g)) assert(named.includes(id!), id);
});

Deno.test("TimelineRecorder keeps a bounded number of messages and says of how many", () => {
  const plan = drawPlan(5, "swarm");
  const recorder = new TimelineRecorder({ plan, atMs: undefined });
  const message = { kind: "probe_view", view: 3n } as const;
  for (let i = 0; i < 50_000; i++) {
    recorder.sent(i, i, 1n, 2n, message);
    if (i % 3 > 0) recorder.arrived(i + 1, i);
    else recorder.lost(i + 1, i, 1n, 2n, undefined);
  }
  const life = { plan, hash: "0".repeat(16), events: 1, simulatedMs: 50_001, counts: {} };
  const timeline = recorder.timeline(
    {
      ...life,
      violation: undefined,
      isCutShort: false,
      lastWords: [],
      shrunk: () => assert(false) as never,
    },
    "R1 something: replica 2",
  );
  assertEquals([timeline.messages.length, timeline.messagesWatched], [8_000, 50_000]);
  assertEquals(timeline.messages.at(-1)!.atMs, 49_999);
  const page = timelinePage(timeline);
  assertMatch(page, /showing 8000 of 50000/);
  assert(page.length < 4_000_000, `${page.length}`);
});
