/** How a timeline looks: light or dark as the reader's system is, colours that the colour-blind can tell apart. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --ink: #1c2127; --faint: #66707b; --line: #d5dae0; --panel: #f4f6f8;
  --good: #00704f; --bad: #b3261e; --badground: #fdeceb; --choice: #101418;
  --primary: #0b5cad; --primaryink: #ffffff; --backup: #d5e3f1; --backupink: #1c2127;
  --view_uncertain: #f2c14e; --view_uncertainink: #1c2127; --recovering: #e6b8d0; --recoveringink: #1c2127;
  --faulted: #b3261e; --faultedink: #ffffff; --starting: #e6e9ed; --startingink: #1c2127;
  --down: #ffffff; --downink: #66707b; --stripe: rgba(28, 33, 39, 0.45);
  --blow: #d55e00; --blowband: rgba(213, 94, 0, 0.10);
  --m0: #0072b2; --m1: #009e73; --m2: #c77c02; --m3: #b14d86; --m4: #2f8fc4; --m5: #d55e00; --m6: #7a838c; --m7: #6a4fb3;
  --told: #5b9a7f; --nottold: #c9a24a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14181d; --ink: #e3e7eb; --faint: #98a3ae; --line: #343b43; --panel: #1c2229;
    --good: #4cc79a; --bad: #ff8a80; --badground: #3a1c1a; --choice: #ffffff;
    --primary: #3d8fe0; --primaryink: #0b0e11; --backup: #2b3b4d; --backupink: #e3e7eb;
    --view_uncertain: #b98a1c; --view_uncertainink: #0b0e11; --recovering: #8c5473; --recoveringink: #ffffff;
    --faulted: #e0584e; --faultedink: #0b0e11; --starting: #2a3037; --startingink: #e3e7eb;
    --down: #14181d; --downink: #98a3ae; --stripe: rgba(227, 231, 235, 0.40);
    --blow: #ff9a4d; --blowband: rgba(255, 154, 77, 0.10);
    --m0: #59b4f0; --m1: #3cc79b; --m2: #e6a63a; --m3: #e08fbb; --m4: #7cc4ef; --m5: #ff8a4d; --m6: #98a3ae; --m7: #a794e8;
    --told: #4f8f75; --nottold: #b08c3c;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
header, main, section, footer { padding: 0 20px; }
header { padding-top: 14px; }
h1 { font-size: 20px; margin: 0 0 4px; }
h2 { font-size: 15px; margin: 22px 0 6px; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.broken { margin: 6px 0; padding: 8px 12px; border-left: 4px solid var(--bad); background: var(--badground); overflow-wrap: anywhere; }
dl { display: flex; flex-wrap: wrap; gap: 2px 22px; margin: 6px 0; }
dl div { display: flex; gap: 6px; }
dt { color: var(--faint); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
code, pre, .mono { font-family: ui-monospace, monospace; font-size: 12.5px; }
pre { overflow-x: auto; background: var(--panel); padding: 8px 12px; }
.bar { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; margin: 8px 0; }
button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 5px; padding: 2px 10px; cursor: pointer; }
button:focus-visible, input:focus-visible, canvas:focus-visible { outline: 2px solid var(--primary); outline-offset: 1px; }
.kinds label { display: inline-flex; gap: 4px; align-items: center; font-size: 12.5px; }
.swatch { width: 16px; height: 3px; display: inline-block; }
#stage { position: relative; border: 1px solid var(--line); }
canvas { display: block; width: 100%; cursor: grab; touch-action: pan-y; }
canvas.dragged { cursor: grabbing; }
#tip { position: absolute; max-width: 460px; pointer-events: none; background: var(--panel); color: var(--ink); border: 1px solid var(--faint); border-radius: 5px; padding: 4px 8px; font-size: 12.5px; white-space: pre-wrap; overflow-wrap: anywhere; }
#said { min-height: 2.9em; margin: 6px 0 0; font-size: 13px; overflow-wrap: anywhere; }
kbd { border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 3px; padding: 0 4px; font-size: 12px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { text-align: left; padding: 1px 14px 1px 0; vertical-align: top; font-weight: normal; }
th { color: var(--faint); }
td:first-child { text-align: right; white-space: nowrap; }
.keys { color: var(--faint); font-size: 12.5px; }
footer { color: var(--faint); padding: 18px 20px; font-size: 12.5px; }
[hidden] { display: none; }
@media print { .bar, .keys, #tip, #said { display: none; } }
`;
