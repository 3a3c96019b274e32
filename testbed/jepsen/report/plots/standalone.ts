/** Plots as files of their own. They carry their colours with them. */
import { PALETTE, PLOT_STYLE } from "../page/style.ts";
import type { Survey } from "../survey.ts";
import { cluster } from "./cluster.ts";
import { type Plot, round, WIDTH } from "./frame.ts";
import { latencyPoints, latencyQuantiles } from "./latency.ts";
import { availability, rate } from "./rate.ts";
import { resources } from "./resources.ts";

/** All plots that can be drawn of a run, by name. */
export function standalonePlots(survey: Survey): Record<string, string> {
  return Object.fromEntries(plotsOf(survey).map((plot) => [plot.name, standalone(plot)]));
}

/** Plots of the axis of the run. */
function plotsOf(survey: Survey): Plot[] {
  const timed = [latencyPoints, latencyQuantiles, rate, availability];
  return [
    ...survey.figures === undefined ? [] : timed.map((draw) => draw(survey)),
    ...survey.isTimed && survey.cluster.replicas.length > 0 ? [cluster(survey)] : [],
    ...survey.holds.length > 0 ? [resources(survey).plot] : [],
  ];
}

function standalone({ body, height }: Plot): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 ${WIDTH} ${
    round(height)
  }" width="${WIDTH}" height="${round(height)}">
<style>${PALETTE}${PLOT_STYLE}</style>
<rect class="ground" width="100%" height="100%"/>
${body}
</svg>
`;
}
