// A page that somebody opens in a browser, files that CI reads, text for a terminal: nothing that a history says may get
// out of its place in any of them, all of them say the same, and none of them says more than was judged.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { sampleRun } from "../../../tests/browser/sample_run.ts";
import type { CheckResult, Verdict } from "../analysis/judgement.ts";
import type { ModelOperation } from "../history/model.ts";
import { comparePage } from "./compare.ts";
import { indexPage } from "./index_page.ts";
import type { Report, ReportInput } from "./input.ts";
import { SCRIPT } from "./page/script.ts";
import uplot from "./page/uplot.json" with { type: "json" };
import { renderReport } from "./report.ts";

const HOSTILE = [
  `</script><script>alert("x")</script>`,
  `<img src=x onerror='alert(1)'>`,
  `]]><x>&amp;--><!--`,
  `\u001b]0;owned\u0007\u001b[2J\r\u009b31m`,
  `\u202etxt.exe\u2066\u200f\u2028`,
  `"><a href="javascript:alert(1)">`,
].join(" ");

const HARMFUL = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069]/u;

const BROKEN = sampleRun({ operations: 1_500, isBroken: true });
const GOOD = sampleRun({ operations: 300, seconds: 20 });
const REPORT = renderReport(BROKEN);

/** The same, with every text that is not a word of ours replaced. */
function hostile<T>(value: T, name = ""): T {
  const KEPT = ["kind", "type", "verdict", "model", "state", "code", "outcome", "role"];
  if (typeof value === "string") return (KEPT.includes(name) ? value : HOSTILE) as T;
  if (value instanceof Map) return new Map([[0, HOSTILE], [1, HOSTILE]]) as T;
  if (Array.isArray(value)) return value.map((item) => hostile(item, name)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, hostile(item, key)]);
  return Object.fromEntries(entries) as T;
}

/** What the script of the page gets. */
function timelineOf(html: string): Record<string, never> {
  const [, packed] = /id="run">([^<]*)</.exec(html)!;
  const bytes = gunzipSync(Uint8Array.from(atob(packed!), (letter) => letter.charCodeAt(0)));
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Tags that open and close in order; a parser small enough to be believed. */
function assertBalanced(markup: string, name: string): void {
  const open: string[] = [];
  for (const [, close, tag, end] of markup.matchAll(/<(\/?)([a-zA-Z][\w-]*)[^>]*?(\/?)>/g)) {
    if (end === "/" || ["meta", "input", "br"].includes(tag!)) continue;
    if (close === "") open.push(tag!);
    else assertEquals(open.pop(), tag, name);
  }
  assertEquals(open, [], name);
}

function withoutScripts(html: string): string {
  return html.replace(/<script>[^]*?<\/script>/g, "").replace(/<style>[^]*?<\/style>/g, "")
    .replace("<!doctype html>", "");
}

Deno.test("renderReport() is the same for the same input, byte for byte", () => {
  assertEquals(renderReport(sampleRun({ operations: 1_500, isBroken: true })), REPORT);
});

Deno.test("renderReport() has the seven sections in order, every id once, every link with a target", () => {
  for (const html of [REPORT.html, renderReport(GOOD).html]) {
    const sections = [...html.matchAll(/<section id="(\w+)"><h2><span>(\d)<\/span>/g)];
    assertEquals(sections.map(([, id, number]) => `${number} ${id}`), [
      ...["1 verdict", "2 story", "3 timeline", "4 cluster", "5 latency", "6 resources"],
      "7 evidence",
    ]);
    const ids = [...html.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => id!);
    assertEquals(ids.length, new Set(ids).size);
    for (const [, target] of html.matchAll(/href="#([\w-]+)"/g)) {
      assert(ids.includes(target!), target);
    }
    for (const [, id] of SCRIPT.matchAll(/getElementById\("([\w-]+)"\)/g)) {
      assert(ids.includes(id!) || id === "copy", id);
    }
    assertBalanced(withoutScripts(html), "page");
  }
});

Deno.test("renderReport() allows its own script and style by their hashes and asks nobody for anything", () => {
  const { html } = REPORT;
  const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64");
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)!;
  const script = html.slice(html.lastIndexOf("<script>") + 8, html.lastIndexOf("</script>"));
  const style = html.slice(html.indexOf("<style>") + 7, html.indexOf("</style>"));
  assertEquals(
    policy,
    `default-src 'none'; script-src 'sha256-${sha256(script)}'; style-src 'sha256-${
      sha256(style)
    }'; base-uri 'none'; form-action 'none'`,
  );
  assertEquals(script, SCRIPT);
  const markup = withoutScripts(html);
  assert(
    !/\s(src|action|style|on\w+)="|href="[^#]|https?:|url\(/.test(markup),
    "asks for something",
  );
  assert(
    !/@import|url\(/.test(style) &&
      !/https?:|innerHTML|eval\(|fetch\(/.test(script.replace(uplot.script, "")),
  );
});

Deno.test("renderReport() lets nothing out of its place, whatever a history says", () => {
  const input = hostile(BROKEN);
  const { html, json, summary, junit, svgs } = renderReport(input);
  assertEquals(html.match(/<script/g)!.length, 2);
  assertEquals(html.match(/<\/script/g)!.length, 2);
  const texts = { html, json, summary, junit, ...svgs };
  for (const [name, text] of Object.entries(texts)) {
    assert(!HARMFUL.test(text.replaceAll("\n", "")), name);
    if (name === "summary") continue;
    assert(!text.includes("<img") && !text.includes("]]>") && !text.includes("<!--"), name);
    assert(!/<a href="javascript/.test(text), name);
  }
  assertBalanced(withoutScripts(html), "page");
  assertBalanced(junit.replace(/^<\?xml.*\?>/, ""), "junit");
  for (const [name, svg] of Object.entries(svgs)) {
    assertBalanced(svg.replace(/^<\?xml.*\?>/, ""), name);
  }
  assertEquals(JSON.parse(json).title, HOSTILE);
  const page = comparePage(input, input) + indexPage(HOSTILE, [{
    title: HOSTILE,
    verdict: undefined,
    state: HOSTILE,
    workload: HOSTILE,
    problems: [HOSTILE],
    links: [{ name: HOSTILE, path: `../../${HOSTILE}` }],
  }]);
  assert(!/<script|<img|javascript:alert\(1\)"|\.\.\//.test(page));
});

Deno.test("renderReport() draws at most as many bars as told, says of how many, and counts the rest", () => {
  const input = { ...BROKEN, barsMax: 200 };
  const { html } = renderReport(input);
  const data = timelineOf(html);
  const columns = data["bars"] as unknown as Record<string, number[]>;
  const { all, hidden } = data["density"] as unknown as {
    all: number[][];
    hidden: (number[] | null)[];
  };
  const total = BROKEN.recording.operations.length;
  const sum = (counts: readonly (readonly number[] | null)[]): number =>
    counts.flatMap((lane) => lane ?? []).reduce((a, b) => a + b, 0);
  for (const [name, column] of Object.entries(columns)) assertEquals(column.length, 200, name);
  assertEquals(sum(all), total);
  assertEquals(sum(hidden), total - 200);
  assertStringIncludes(html, `showing 200 of ${total.toLocaleString("en-US")} attempts`);
  const named = BROKEN.judgement.checks.flatMap(({ violations }) => violations)
    .flatMap(({ operations }) => operations).map(({ invokedAt }) => invokedAt);
  for (const position of named) assert(columns["position"]!.includes(position), `${position}`);
});

Deno.test("renderReport() shows every attempt as it was recorded", () => {
  const columns = timelineOf(REPORT.html)["bars"] as unknown as Record<string, number[]>;
  const { operations } = BROKEN.recording;
  assertEquals(columns["position"], operations.map(({ invokedAt }) => invokedAt));
  let start = 0;
  const starts = columns["start"]!.map((step) => start += step);
  assertEquals(starts, operations.map(({ invokedNs }) => Math.round(invokedNs! / 1e3)));
  const outcomes = ["ok", "fail", "info"];
  assertEquals(columns["outcome"], operations.map(({ outcome }) => outcomes.indexOf(outcome.kind)));
});

Deno.test("the copy of uPlot is the package's, to the byte, and asks nobody for anything", () => {
  for (
    const [text, hash] of [[uplot.script, uplot.scriptSha256], [uplot.style, uplot.styleSha256]]
  ) {
    assertEquals(createHash("sha256").update(text!).digest("hex"), hash);
  }
  const [first, ...rest] = uplot.script.split("\n");
  assertEquals(first, "/*! https://github.com/leeoniya/uPlot (v1.6.32) */");
  assert(!/https?:|innerHTML|\beval\(|new Function|fetch\(|<\/script/i.test(rest.join("\n")));
});

const VERDICTS = ["pass", "fail", "inconclusive"] as const;
const CHECK = fc.record({
  verdict: fc.constantFrom(...VERDICTS),
  isReleaseBlocking: fc.boolean(),
  examined: fc.nat(),
});

function judged(checks: readonly Partial<CheckResult>[], verdict: Verdict): ReportInput {
  const [pattern] = GOOD.judgement.checks;
  return {
    ...GOOD,
    judgement: {
      ...GOOD.judgement,
      verdict,
      checks: checks.map((check) => ({ ...pattern!, ...check })),
    },
  };
}

Deno.test("JUnit says passed only of checks that passed, and is green only for a valid run", () => {
  fc.assert(
    fc.property(
      fc.array(CHECK, { maxLength: 6 }),
      fc.constantFrom("valid", "invalid", "unknown"),
      (checks, verdict) => {
        const { junit } = renderReport(judged(checks, verdict as Verdict));
        const cases = [...junit.matchAll(/<testcase [^>]*>(.*?)<\/testcase>/gs)].map(([, inner]) =>
          inner!
        );
        const isPassed = (inner: string): boolean => !/<(failure|error|skipped)/.test(inner);
        for (const [index, check] of checks.entries()) {
          assertEquals(isPassed(cases[index]!), check.verdict === "pass");
          assertEquals(cases[index]!.includes("<failure"), check.verdict === "fail");
        }
        const isRed = cases.some((inner) => /<(failure|error)/.test(inner));
        if (verdict !== "valid") assert(isRed);
        assert(cases.length > 0);
        const [, tests, failures, errors, skipped] =
          /tests="(\d+)" failures="(\d+)" errors="(\d+)" skipped="(\d+)"/.exec(junit)!;
        const count = (pattern: RegExp): string =>
          String(cases.filter((inner) => pattern.test(inner)).length);
        assertEquals([tests, failures, errors, skipped], [
          String(cases.length),
          count(/<failure/),
          count(/<error/),
          count(/<skipped/),
        ]);
      },
    ),
    { seed: 5, numRuns: 60 },
  );
});

Deno.test("every part of a report says the same verdict, and unknown is never called valid", () => {
  const open: Partial<CheckResult> = {
    verdict: "inconclusive",
    isReleaseBlocking: true,
    examined: 0,
  };
  const { html, json, summary, junit } = renderReport(judged([open], "unknown"));
  assertMatch(html, /class="badge unsure">UNKNOWN/);
  assertEquals(JSON.parse(json).verdict, "unknown");
  assert(summary.startsWith("UNKNOWN  run-7\n"));
  assertMatch(junit, /errors="1"/);
  assert(!/\bVALID\b/.test(html) && !summary.includes("VALID"));
  assertStringIncludes(REPORT.html, `class="badge bad">BLOCKED`);
  assertMatch(renderReport(GOOD).html, /class="badge good">VALID/);
});

Deno.test("a report tells what is too little, what is not listed, and what the verdict waits for", () => {
  const base = judged(
    [{ verdict: "inconclusive", isReleaseBlocking: false, isDecisive: true }],
    "unknown",
  );
  const [violation] = BROKEN.judgement.checks.flatMap(({ violations }) => violations);
  const failed = { ...BROKEN.judgement.checks[1]!, violations: [violation!], found: 70 };
  const { html, summary, junit, json } = renderReport({
    ...base,
    judgement: {
      ...base.judgement,
      checks: [...base.judgement.checks, failed],
      shortfalls: [{ name: "contended_reserves", count: 3, minimum: 1_000 }],
    },
  });
  assertMatch(html, /too little of contended reserves: 3, asked for 1,000/);
  assertMatch(summary, /too little of contended_reserves: 3, asked for 1,000/);
  assertMatch(html, /first of 70 violations/);
  assertMatch(summary, /and 69 more: report\.json/);
  assertMatch(junit, /failures="1" errors="1" skipped="0"/);
  assertEquals(JSON.parse(json).checks[1].found, 70);
});

Deno.test("summary.txt and junit.xml of a broken run are as they were", async () => {
  const folder = new URL("../../../tests/golden/jepsen_report/", import.meta.url);
  for (
    const [name, text] of [["summary.txt", REPORT.summary], ["junit.xml", REPORT.junit]] as const
  ) {
    if (Deno.args.includes("--update")) await Deno.writeTextFile(new URL(name, folder), text);
    assertEquals(text, await Deno.readTextFile(new URL(name, folder)));
  }
});

Deno.test("report.json holds every violation with its operations, ids of any size as text", () => {
  const facts = JSON.parse(REPORT.json);
  assertEquals([facts.format, facts.version], ["allocdb.jepsen.report", 1]);
  const violations = facts.checks.flatMap((check: { violations: unknown[] }) => check.violations);
  const [expected] = BROKEN.judgement.checks.flatMap((check) => check.violations);
  assertEquals(violations.length, 1);
  assertEquals(violations[0].resourceIds, expected!.resourceIds.map(String));
  assertEquals(violations[0].operations.length, expected!.operations.length);
  assertEquals(violations[0].first, expected!.first!.invokedAt);
  assertEquals(facts.is_gate_evidence, false);
});

/** A register that read what nobody wrote, without times. */
function registerRun(): ReportInput {
  const operation = (index: number, f: string, value: bigint): ModelOperation => ({
    process: index % 2,
    f,
    value,
    invokedAt: 2 * index,
    completedAt: 2 * index + 1,
    outcome: { kind: "ok", value },
  });
  const modelOperations = [operation(0, "write", 1n), operation(1, "read", 7n)];
  const { recording, judgement } = GOOD;
  const violation = {
    line: "blocker=linearizability",
    sentence: "7 was never written.",
    resourceIds: [],
    operations: [],
    modelOperations,
    first: modelOperations[1],
    isMinimal: true,
    before: ["register: 1"],
  };
  return {
    ...GOOD,
    recording: {
      ...recording,
      header: { model: "register" },
      operations: [],
      modelOperations,
      faults: [],
      samples: [],
      events: 4,
    },
    judgement: {
      ...judgement,
      verdict: "invalid",
      checks: [{ ...judgement.checks[0]!, verdict: "fail", violations: [violation] }],
    },
  };
}

Deno.test("renderReport() draws a history of another model without times, and says what is not there", () => {
  const report = renderReport(registerRun());
  assertStringIncludes(report.html, "model register: it has no resources");
  assertStringIncludes(report.html, "has no times");
  assertStringIncludes(report.html, "Minimal history: 2 attempts");
  assertEquals(report.svgs, {});
  const data = timelineOf(report.html);
  assertEquals([data["isTimed"], data["end"]], [false, 3]);
});

Deno.test("renderReport() of nothing at all is a page", () => {
  const { recording } = GOOD;
  const empty = {
    ...recording,
    header: { model: "reservation" as const },
    operations: [],
    faults: [],
    samples: [],
    events: 0,
    endNs: 0,
  };
  const report: Report = renderReport({
    title: "empty",
    recording: empty,
    judgement: { ...GOOD.judgement, verdict: "unknown", checks: [], coverage: [] },
  });
  assertMatch(report.html, /UNKNOWN/);
  assertMatch(report.junit, /tests="1" failures="0" errors="1"/);
});

Deno.test("renderReport() of a run that broke off says so wherever it says the verdict", () => {
  const report = renderReport({ ...GOOD, brokenOffBy: "replica 3 <stayed> faulted" });
  const words = "The run did not come to its end: replica 3 ";
  assertStringIncludes(report.html, `${words}&#60;stayed&#62; faulted.`);
  assertStringIncludes(report.summary, `${words}<stayed> faulted.`);
  assertEquals(JSON.parse(report.json).broken_off_by, "replica 3 <stayed> faulted");
  assertEquals(renderReport(GOOD).html.includes(words), false);
});

Deno.test("renderReport() stays below its bound for many operations", () => {
  const { html } = renderReport(
    sampleRun({ operations: 20_000, seconds: 300, isBroken: true, resources: 40 }),
  );
  assert(html.length < 1_500_000, `${html.length}`);
});

Deno.test("comparePage() puts two runs side by side and marks what differs", () => {
  const page = comparePage(GOOD, BROKEN);
  assertMatch(page, /badge good">VALID[^]*badge bad">BLOCKED/);
  assertMatch(page, /<tr class="differs"><td><b>double allocation<\/b><\/td><td>✓ pass[^]*?✕ FAIL/);
  assertMatch(page, /<tr><td><b>backend<\/b><\/td><td>local<\/td><td>local<\/td>/);
  assertBalanced(withoutScripts(page), "compare");
  assertEquals(comparePage(GOOD, BROKEN), page);
});

Deno.test("indexPage() lists the latest run first, with links that stay below it", () => {
  const page = indexPage("runs", [
    {
      title: "old",
      verdict: "valid",
      startedAtMillis: 1,
      links: [{ name: "report", path: "a b/report.html" }],
    },
    { title: "new", verdict: "invalid", startedAtMillis: 2, problems: ["stale_reads"], links: [] },
    {
      title: "now",
      verdict: undefined,
      state: "running",
      startedAtMillis: 3,
      links: [{ name: "x", path: "../../etc/passwd" }],
    },
  ]);
  assert(
    page.indexOf(">now<") < page.indexOf(">new<") && page.indexOf(">new<") < page.indexOf(">old<"),
  );
  assertMatch(page, /3 runs: 1 valid, 1 invalid, 0 unknown/);
  assertMatch(page, /href="\.\/a%20b\/report\.html"/);
  assertMatch(page, /href="\.\/etc\/passwd"/);
  assertBalanced(withoutScripts(page), "index");
});
