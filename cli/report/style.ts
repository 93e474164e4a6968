/** The look of the HTML report: light, for paper as well as for a screen. System fonts, so that the file needs nothing else. */
export const STYLE = `
:root { --ink: #1d2327; --soft: #5b646b; --line: #d9dde0; --band: #f5f6f7; --accent: #0b5d62; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 40px 32px 64px; max-width: 1060px; color: var(--ink); background: #fff; font: 14px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { margin: 0 0 4px; font-size: 27px; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 40px 0 8px; padding-top: 14px; border-top: 2px solid var(--accent); font-size: 18px; break-after: avoid; }
p { margin: 0 0 10px; max-width: 76ch; }
.soft { color: var(--soft); }
.lead { font-size: 16px; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 14px 0 0; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 26px 0 8px; }
.figure { padding: 12px 14px; border: 1px solid var(--line); border-radius: 6px; }
.figure b { display: block; font-size: 22px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.figure span { color: var(--soft); font-size: 12.5px; }
table { width: 100%; margin: 10px 0 4px; border-collapse: collapse; font-size: 12.5px; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-bottom: 1.5px solid var(--ink); font-weight: 600; vertical-align: bottom; }
tfoot td, tfoot th { border-top: 1.5px solid var(--ink); border-bottom: 0; font-weight: 600; }
tbody tr { break-inside: avoid; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n { white-space: nowrap; }
td .id, .id { display: block; color: var(--soft); font: 11px/1.4 ui-monospace, SFMono-Regular, Consolas, monospace; overflow-wrap: anywhere; }
.sub { display: block; white-space: normal; color: var(--soft); font-size: 11px; font-weight: 400; }
.one { display: block; margin-top: 2px; }
.line { white-space: nowrap; }
.swatch { display: inline-block; width: 11px; height: 11px; margin-right: 7px; border: 1px solid #0003; border-radius: 2px; vertical-align: -1px; }
.bar { display: block; width: 100%; margin: 3px 0 12px; }
.bar-label { display: flex; justify-content: space-between; gap: 12px; font-size: 12.5px; }
.mini { display: block; width: 110px; height: 8px; margin-top: 5px; }
.days { display: block; width: 100%; height: auto; margin: 8px 0; }
.note { margin: 10px 0; padding: 9px 13px; border-left: 3px solid #e0912f; background: #fdf6ea; max-width: none; }
.empty { padding: 10px 13px; border: 1px dashed var(--line); color: var(--soft); }
code { font: 12px ui-monospace, SFMono-Regular, Consolas, monospace; overflow-wrap: anywhere; }
ul { margin: 0 0 10px; padding-left: 20px; max-width: 78ch; }
li { margin-bottom: 4px; }
@page { size: A4; margin: 16mm 13mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  table { font-size: 8pt; }
  th, td { padding: 4px 5px; }
  h2 { margin-top: 22px; }
  thead { display: table-header-group; }
  tfoot { display: table-row-group; }
  .figures, .note, svg { break-inside: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`
