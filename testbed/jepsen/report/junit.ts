/**
 * Checks as test cases for CI. What could not be decided is an error if the verdict or a release waits for it, and skipped otherwise:
 * never a pass. A verdict that no check explains gets a test case of its own.
 */
import type { CheckResult } from "../analysis/judgement.ts";
import type { Survey } from "./survey.ts";
import { cut, escapeXml } from "./text/escape.ts";
import { badgeOf, verdictSentence } from "./verdict_words.ts";

const LINES_MAX = 20;
const TEXT_MAX = 1_000;

/** How a test case ended. */
type Ending = "passed" | "failure" | "error" | "skipped";

/** Writes one test suite. */
export function renderJunit(survey: Survey): string {
  const { checks, verdict } = survey.input.judgement;
  const endings = checks.map(endingOf);
  const isExplained = verdict === "valid"
    ? checks.length > 0
    : verdict === "invalid"
    ? endings.includes("failure")
    : endings.includes("error");
  const own: Ending = verdict === "valid" ? "passed" : verdict === "invalid" ? "failure" : "error";
  const all = isExplained ? endings : [...endings, own];
  const name = escapeXml(survey.input.title);
  const count = (ending: Ending): number => all.filter((other) => other === ending).length;
  const seconds = survey.isTimed ? (survey.end / 1e9).toFixed(3) : "0.000";
  const totals = `tests="${all.length}" failures="${count("failure")}" errors="${
    count("error")
  }" skipped="${count("skipped")}" time="${seconds}"`;
  const cases = checks.map((check, index) => testCase(name, check, endings[index]!));
  if (!isExplained) cases.push(verdictCase(survey, name, own));
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="allocdb jepsen" ${totals}>
<testsuite name="${name}" ${totals}>
${cases.join("\n")}
</testsuite>
</testsuites>
`;
}

/** As the gate has it: a check that had nothing to look at is open only if it is one that decides. */
function endingOf({ verdict, examined, isReleaseBlocking, isDecisive }: CheckResult): Ending {
  if (verdict === "pass") return "passed";
  if (verdict === "fail") return "failure";
  return isDecisive || (isReleaseBlocking && examined > 0) ? "error" : "skipped";
}

function testCase(suite: string, check: CheckResult, ending: Ending): string {
  const { name, sentence, examined, unit, violations } = check;
  const said = escapeXml(cut(sentence, TEXT_MAX));
  const looked = `<system-out>${escapeXml(`looked at ${examined} ${unit}`)}</system-out>`;
  const lines = violations.slice(0, LINES_MAX).map(({ line }) => escapeXml(cut(line, TEXT_MAX)));
  return element(suite, escapeXml(name), ending, { said, lines, looked });
}

function verdictCase(survey: Survey, suite: string, ending: Ending): string {
  const said = escapeXml(`${badgeOf(survey.input.judgement).word}: ${verdictSentence(survey)}`);
  return element(suite, "verdict", ending, { said, lines: [], looked: "" });
}

interface Content {
  readonly said: string;
  readonly lines: readonly string[];
  readonly looked: string;
}

function element(suite: string, name: string, ending: Ending, content: Content): string {
  const { said, lines, looked } = content;
  const type = ending === "failure" ? "violation" : "inconclusive";
  const inner = ending === "passed"
    ? ""
    : ending === "skipped"
    ? `<skipped message="${said}"/>`
    : `<${ending} type="${type}" message="${said}">${[said, ...lines].join("\n")}</${ending}>`;
  return `<testcase classname="${suite}" name="${name}" time="0.000">${inner}${looked}</testcase>`;
}
