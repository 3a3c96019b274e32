/** Everything that is written about one run, from what is known of it: no clock, no files, no network. */
import type { Report, ReportInput } from "./input.ts";
import { renderPage } from "./page/page.ts";
import { renderJson } from "./report_json.ts";
import { renderJunit } from "./junit.ts";
import { renderSummary } from "./summary.ts";
import { surveyOf } from "./survey.ts";
import { standalonePlots } from "./plots/standalone.ts";

/**
 * Writes a report.
 *
 * @param input What is known of the run.
 * @returns Texts; the same for the same input.
 */
export function renderReport(input: ReportInput): Report {
  const survey = surveyOf(input);
  return {
    html: renderPage(survey),
    json: renderJson(survey),
    summary: renderSummary(survey),
    junit: renderJunit(survey),
    svgs: standalonePlots(survey),
  };
}
