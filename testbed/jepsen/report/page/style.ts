/**
 * How a report looks: light or dark as the reader's system is, and light on paper. Colours are those of Okabe and Ito, which
 * the colour-blind can tell apart; whatever has a colour has a shape, a pattern or a word as well.
 */
import uplot from "./uplot.json" with { type: "json" };

const LIGHT = `
  --ground: #ffffff; --raised: #ffffff; --panel: #f5f7f9; --ink: #16202a; --faint: #5b6875; --line: #dde2e8; --strong: #b9c2cc;
  --accent: #0b5cad; --good: #00704f; --goodground: #e3f4ed; --bad: #b3261e; --badground: #fdeceb; --unsure: #8a5a00; --unsureground: #fdf3dd;
  --ok: #0072b2; --okarea: rgba(0, 114, 178, 0.14); --fail: #c26a00; --info: #a33f7d; --fault: #d55e00; --faultband: rgba(213, 94, 0, 0.09);
  --primary: #0b5cad; --primaryink: #ffffff; --backup: #d5e3f1; --backupink: #16202a; --recovering: #e6b8d0; --recoveringink: #16202a;
  --view_change: #f2c14e; --view_changeink: #16202a; --faulted: #b3261e; --faultedink: #ffffff; --down: #ffffff; --downink: #5b6875; --other: #e6e9ed; --otherink: #16202a;
  --q0: #009e73; --q1: #0072b2; --q2: #a33f7d; --q3: #16202a; --alive: #009e73;
  --h0: #bfdcef; --h1: #cdebdd; --h2: #f1dfb8; --h3: #e9d0e0; --held: #3d4f60;
`;

const DARK = `
  --ground: #0f1419; --raised: #151b22; --panel: #1b232b; --ink: #e4e9ee; --faint: #9aa7b4; --line: #2a343e; --strong: #485563;
  --accent: #6cb6ff; --good: #4cc79a; --goodground: #12302a; --bad: #ff8a80; --badground: #3a1c1a; --unsure: #e9b85c; --unsureground: #352a13;
  --ok: #59b4f0; --okarea: rgba(89, 180, 240, 0.16); --fail: #f0a23c; --info: #e08fbb; --fault: #ff9a4d; --faultband: rgba(255, 154, 77, 0.11);
  --primary: #3d8fe0; --primaryink: #0b0e11; --backup: #2b3b4d; --backupink: #e4e9ee; --recovering: #8c5473; --recoveringink: #ffffff;
  --view_change: #b98a1c; --view_changeink: #0b0e11; --faulted: #e0584e; --faultedink: #0b0e11; --down: #0f1419; --downink: #9aa7b4; --other: #2a3037; --otherink: #e4e9ee;
  --q0: #3cc79b; --q1: #59b4f0; --q2: #e08fbb; --q3: #e4e9ee; --alive: #2f9f7b;
  --h0: #234a66; --h1: #1f4f3f; --h2: #574519; --h3: #552f49; --held: #a9b8c6;
`;

/** Colours as variables. */
export const PALETTE = `
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
@media print { :root { color-scheme: light; ${LIGHT} } }
`;

/** Of what is inside of plots, wherever they are. */
export const PLOT_STYLE = `
.plot text { font: 11px system-ui, sans-serif; fill: var(--ink); }
.plot .axis, .plot .lane { fill: var(--faint); font-variant-numeric: tabular-nums; }
.plot .lane { fill: var(--ink); }
.plot .end { text-anchor: end; }
.plot .middle { text-anchor: middle; }
.plot .ground { fill: var(--ground); }
.grid { stroke: var(--line); stroke-width: 1; fill: none; }
.fault rect { fill: var(--faultband); }
.fault path { stroke: var(--fault); stroke-width: 1; stroke-dasharray: 2 3; fill: none; }
.plot .faultname { fill: var(--fault); font-size: 10.5px; }
.mark { fill: none; stroke-linecap: round; }
.mark.ok { stroke: var(--ok); stroke-width: 2.6; stroke-opacity: 0.55; }
.mark.fail { stroke: var(--fail); stroke-width: 1.4; }
.mark.info { stroke: var(--info); stroke-width: 1.4; fill: var(--ground); }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
.line.ok { stroke: var(--ok); } .line.fail { stroke: var(--fail); stroke-dasharray: 5 3; } .line.info { stroke: var(--info); stroke-dasharray: 1.5 3.5; stroke-width: 2.2; }
.line.q0 { stroke: var(--q0); stroke-width: 2; } .line.q1 { stroke: var(--q1); stroke-dasharray: 7 3; } .line.q2 { stroke: var(--q2); stroke-dasharray: 3 3; } .line.q3 { stroke: var(--q3); stroke-width: 1; stroke-opacity: 0.65; }
.line.r0 { stroke: var(--ok); } .line.r1 { stroke: var(--fail); stroke-dasharray: 6 3; } .line.r2 { stroke: var(--info); stroke-dasharray: 2 3; } .line.r3 { stroke: var(--q0); stroke-dasharray: 9 3 2 3; } .line.r4 { stroke: var(--faint); }
.area { fill: var(--okarea); }
.alive { fill: var(--alive); }
.gap rect { fill: var(--ground); stroke: var(--strong); stroke-width: 1; }
.gap.longest rect { fill: var(--badground); stroke: var(--bad); stroke-width: 1.5; }
.plot .gapname { fill: var(--bad); font-weight: 600; }
.band rect { stroke: var(--strong); stroke-width: 1; }
.band.primary rect { fill: var(--primary); } .plot .band.primary text { fill: var(--primaryink); font-weight: 600; }
.band.backup rect { fill: var(--backup); } .plot .band.backup text { fill: var(--backupink); }
.band.recovering rect { fill: var(--recovering); } .plot .band.recovering text { fill: var(--recoveringink); }
.band.view_change rect { fill: var(--view_change); } .plot .band.view_change text { fill: var(--view_changeink); }
.band.faulted rect { fill: var(--faulted); } .plot .band.faulted text { fill: var(--faultedink); }
.band.down rect { fill: var(--down); stroke-dasharray: 4 3; } .plot .band.down text { fill: var(--downink); }
.band.other rect { fill: var(--other); } .plot .band.other text { fill: var(--otherink); }
.viewchange path { stroke: var(--ink); stroke-width: 1; stroke-opacity: 0.5; fill: none; }
.plot .viewname { font-weight: 600; font-size: 10.5px; }
.hold rect { stroke: var(--held); stroke-width: 0.8; }
.hold path { stroke: var(--held); stroke-width: 1; fill: none; }
.hold.h0 rect { fill: var(--h0); } .hold.h1 rect { fill: var(--h1); } .hold.h2 rect { fill: var(--h2); } .hold.h3 rect { fill: var(--h3); }
.hold rect.confirmed { fill: var(--held); }
.plot .hold text { font-size: 10px; }
.plot .hold text.onconfirmed { fill: var(--ground); font-weight: 600; }
.hold path.deadline { stroke: var(--held); fill: var(--held); stroke-opacity: 0.8; }
.hold path.deadline.small { stroke-opacity: 0.35; }
.hold.over rect, .hold.over rect.confirmed { fill: var(--bad); stroke: var(--bad); stroke-width: 2; }
.plot .hold.over text { fill: var(--ground); font-weight: 700; }
.mini .grid { stroke-dasharray: 2 3; }
.mini rect { stroke-width: 1.5; }
.mini .ok { fill: var(--okarea); stroke: var(--ok); }
.mini .fail { fill: var(--ground); stroke: var(--fail); stroke-dasharray: 5 3; }
.mini .info { fill: var(--ground); stroke: var(--info); stroke-dasharray: 2 3; }
.mini .first { stroke: var(--bad); stroke-width: 3; }
`;

/** Things that have a box each which hides them: operations among points, sources among lines of logs. */
export const KINDS_MAX = 16;

const HIDING = Array.from(
  { length: KINDS_MAX },
  (_, index) =>
    ["f", "s"].map((kind) =>
      `body:has(#show-${kind}${index}:not(:checked)) .${kind}${index} { display: none; }`
    ).join("\n"),
).join("\n");

const PAGE_STYLE = `
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 64px; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 14px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
a { color: var(--accent); text-underline-offset: 2px; }
header, section, footer { max-width: 1200px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 22px; }
.headline { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: center; }
h1 { font-size: 22px; line-height: 1.25; margin: 0; overflow-wrap: anywhere; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 40px 0 10px; padding-top: 12px; border-top: 1px solid var(--line); letter-spacing: -0.01em; }
h2 span { display: inline-block; min-width: 1.1em; color: var(--faint); font-weight: 400; }
h2 small, h3 small { color: var(--faint); font-weight: 400; font-size: 13px; margin-left: 6px; }
main section:first-child h2 { margin-top: 14px; border-top: 0; }
h3 { font-size: 15px; margin: 22px 0 6px; }
h4 { font-size: 13.5px; margin: 16px 0 6px; }
.badge { display: inline-flex; align-items: center; gap: 8px; padding: 6px 16px; border-radius: 8px; font-size: 18px; font-weight: 700; letter-spacing: 0.04em; border: 2px solid; }
.badge.good { color: var(--good); background: var(--goodground); }
.badge.bad { color: var(--bad); background: var(--badground); }
.badge.unsure { color: var(--unsure); background: var(--unsureground); border-style: dashed; }
.good { color: var(--good); } .bad { color: var(--bad); } .unsure { color: var(--unsure); }
b.ok { color: var(--ok); } b.fail { color: var(--fail); } b.info { color: var(--info); }
.facts { display: flex; flex-wrap: wrap; gap: 2px 22px; margin: 10px 0 0; color: var(--faint); }
.facts div { display: flex; gap: 6px; }
.facts dd { color: var(--ink); } dd { margin: 0; overflow-wrap: anywhere; }
nav { position: sticky; top: 0; z-index: 5; background: var(--ground); border-bottom: 1px solid var(--line); margin-top: 16px; }
nav ul { max-width: 1200px; margin: 0 auto; padding: 0 18px; display: flex; flex-wrap: wrap; list-style: none; }
nav a { display: block; padding: 9px 10px; color: var(--ink); text-decoration: none; font-size: 13.5px; border-bottom: 2px solid transparent; }
nav a:hover { color: var(--accent); border-color: var(--accent); }
.lead { font-size: 15.5px; margin: 6px 0; overflow-wrap: anywhere; }
.note { margin: 6px 0; padding: 6px 12px; background: var(--panel); border-left: 3px solid var(--strong); overflow-wrap: anywhere; }
.note.unsure { background: var(--unsureground); border-color: var(--unsure); font-weight: 600; }
.empty { color: var(--faint); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 10px; margin: 14px 0 16px; }
.cards div { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 9px 13px; }
.cards dt { color: var(--faint); font-size: 12.5px; } .cards dd { font-size: 21px; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
.cards small { display: block; font-size: 12px; font-weight: 400; color: var(--faint); line-height: 1.35; }
.scroll { overflow-x: auto; } .tall { max-height: 460px; overflow-y: auto; border: 1px solid var(--line); border-radius: 6px; padding: 0 10px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13.5px; }
td, th { text-align: left; padding: 4px 18px 4px 0; vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--faint); font-weight: 500; font-size: 12.5px; white-space: nowrap; }
td.count, th.count { text-align: right; white-space: nowrap; }
tbody tr { border-top: 1px solid var(--line); }
table.checks { width: 100%; } .checks td { padding-top: 7px; padding-bottom: 7px; overflow-wrap: break-word; }
.checks td:nth-child(2) { min-width: 236px; }
.checks td:first-child { padding-left: 10px; }
.checks .state { white-space: nowrap; font-weight: 600; }
.checks .is-good .state { color: var(--good); } .checks .is-bad .state { color: var(--bad); } .checks .is-unsure .state { color: var(--unsure); }
.checks tr.is-bad { background: var(--badground); } .checks tr.is-unsure { background: var(--unsureground); }
.sign { display: inline-block; width: 1.2em; text-align: center; font-weight: 800; }
td small { color: var(--faint); }
.tag { display: inline-block; margin-left: 8px; padding: 0 7px; border: 1px solid var(--strong); border-radius: 9px; font-size: 11px; line-height: 17px; font-weight: 400; color: var(--faint); white-space: nowrap; }
.tag.bad { color: var(--bad); border-color: var(--bad); }
.coverage .none td { color: var(--unsure); }
details { margin: 10px 0; } summary { cursor: pointer; color: var(--accent); }
.violation { border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 6px; padding: 2px 18px 12px; margin: 14px 0; background: var(--raised); }
.violation h3 { margin-top: 14px; } .jump { font-size: 12.5px; font-weight: 400; margin-left: 10px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 12px; margin: 12px 0; }
.operation { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 8px 14px 10px; }
.operation.first { border: 2px solid var(--bad); }
.operation h4 { margin: 2px 0 6px; }
.operation dl { margin: 0; } .operation dl div { display: grid; grid-template-columns: 92px 1fr; gap: 8px; } .operation dt { color: var(--faint); }
.steps .skipped td { color: var(--faint); padding-left: 10px; } .steps .impossible td { background: var(--badground); } .steps .evidence td { font-weight: 600; }
pre, .line, code, .mono { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 12.5px; }
p code, td code, li code { background: var(--panel); border-radius: 3px; padding: 0 3px; }
pre { background: var(--panel); border-radius: 6px; padding: 8px 12px; margin: 6px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.line { color: var(--faint); overflow-wrap: anywhere; margin: 12px 0 0; }
figure { margin: 8px 0; } figcaption { color: var(--faint); font-size: 12.5px; padding: 2px 0 0; }
svg.plot { display: block; width: 100%; height: auto; background: var(--ground); }
svg.swatch { display: inline-block; width: 24px; height: 12px; vertical-align: -1px; margin-right: 5px; background: none; }
.key { white-space: nowrap; margin-right: 14px; }
.follow { position: relative; } .cursor { position: absolute; top: 0; bottom: 0; width: 1px; background: var(--accent); pointer-events: none; }
fieldset.choose { border: 0; margin: 6px 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 13px; }
.choose legend { float: left; padding: 0; margin-right: 12px; color: var(--faint); }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 0 28px; margin: 4px 0; font-size: 13.5px; }
.pairs div { display: grid; grid-template-columns: 150px 1fr; gap: 10px; border-top: 1px solid var(--line); padding: 4px 0; } dt { color: var(--faint); overflow-wrap: anywhere; }
.command { display: flex; gap: 10px; align-items: flex-start; background: var(--panel); border-radius: 6px; padding: 8px 12px; } .command code { flex: 1; overflow-wrap: anywhere; white-space: pre-wrap; }
.logs { font-size: 12.5px; } .logs td { padding: 1px 14px 1px 0; font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; } .logs .bad td:nth-child(n+3) { color: var(--bad); } .logs .unsure td:nth-child(n+3) { color: var(--unsure); } .logs tr { border: 0; }
.bar { display: flex; flex-wrap: wrap; gap: 6px 8px; align-items: center; margin: 8px 0; }
button, input[type=search] { font: inherit; font-size: 13px; color: inherit; background: var(--panel); border: 1px solid var(--strong); border-radius: 6px; padding: 3px 11px; }
button { cursor: pointer; } button:hover { border-color: var(--accent); color: var(--accent); } button.urgent { color: var(--bad); border-color: var(--bad); font-weight: 600; }
input[type=search] { width: 275px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
#stage { position: relative; border: 1px solid var(--line); border-radius: 6px; overflow-y: auto; overflow-x: hidden; max-height: 560px; }
#picture { display: block; position: sticky; top: 0; width: 100%; cursor: grab; touch-action: none; }
#picture.dragged { cursor: grabbing; }
#frame { position: relative; }
#tip { position: absolute; z-index: 4; max-width: 480px; pointer-events: none; background: var(--raised); border: 1px solid var(--strong); border-radius: 6px; padding: 6px 10px; font-size: 12.5px; white-space: pre-wrap; overflow-wrap: anywhere; box-shadow: 0 3px 14px rgba(0, 0, 0, 0.18); }
#said { min-height: 3.2em; margin: 6px 0 0; font-size: 13px; white-space: pre-wrap; overflow-wrap: anywhere; }
.keys { color: var(--faint); font-size: 12.5px; } kbd { border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 3px; padding: 0 4px; font-size: 11.5px; }
footer { color: var(--faint); padding: 26px 24px 40px; font-size: 12.5px; }
[hidden] { display: none !important; }
.zoomable > svg, .zoomable > .cursor, .zoomable .key { display: none; } figure:not(.zoomable) .hint { display: none; }
.uplot { font: 12px system-ui, sans-serif; } .u-legend { color: var(--faint); text-align: left; } .u-legend .u-value { color: var(--ink); font-variant-numeric: tabular-nums; }
.u-legend tbody tr, .u-inline tr { border: 0; margin-right: 18px; } .u-select { background: color-mix(in srgb, var(--accent) 18%, transparent); }
.u-hz .u-cursor-x, .u-vt .u-cursor-y { border-color: var(--accent); } .u-hz .u-cursor-y { display: none; }
@media (max-width: 640px) { header, section, footer { padding-left: 14px; padding-right: 14px; } nav { position: static; } .pairs { grid-template-columns: 1fr; } }
@media print {
  nav, .bar, .keys, #tip, #said, .choose, .jump, #copy { display: none !important; }
  body { font-size: 11px; } .tall { max-height: none; overflow: visible; } .scroll { overflow: visible; }
  .zoomable > svg { display: block; } .zoomable .key { display: inline; } .hint { display: none; } .zoomable > div { display: none; }
  section { break-inside: auto; } .violation, figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .badge, .checks tr, .cards div, .operation, rect, .cursor { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

/** Everything a page needs. */
export const STYLE = PALETTE + PLOT_STYLE + uplot.style + PAGE_STYLE + HIDING;
