/** Of the reference page; in the page itself, because it has no other files. */
export const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d9dee5, #343b45); --soft: light-dark(#f5f7fa, #1b2026); --dim: light-dark(#59636f, #9aa5b1); --link: light-dark(#0b5cad, #79b8ff); }
* { box-sizing: border-box }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; background: light-dark(#fff, #14181d); color: light-dark(#1c232b, #e3e8ee); display: grid; grid-template-columns: 20rem minmax(0, 1fr); }
a { color: var(--link); text-decoration: none } a:hover { text-decoration: underline }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.25rem; border-right: 1px solid var(--line); background: var(--soft); font-size: 13px }
nav ul { list-style: none; margin: 0 0 1rem; padding: 0 } nav li { margin: .15rem 0; overflow-wrap: anywhere }
main { padding: 1.5rem 2.5rem 6rem; max-width: 62rem }
h1 { margin-top: 0 } section { border-top: 1px solid var(--line); padding: 1.25rem 0 } h2 { font-size: 1.05rem; margin: 0 0 .25rem } h3 { font-size: .8rem; text-transform: uppercase; letter-spacing: .05em; color: var(--dim); margin: 1.1rem 0 .3rem }
code, pre { font: 13px/1.45 ui-monospace, monospace } code { background: var(--soft); padding: .05rem .25rem; border-radius: 3px; overflow-wrap: anywhere } pre { background: var(--soft); padding: .75rem; overflow: auto; border-radius: 6px }
h2 code { background: none; padding: 0; font-size: 15px }
.method { display: inline-block; min-width: 3.4rem; font: 600 11px/1.7 ui-monospace, monospace; text-align: center; border-radius: 4px; color: #fff; background: #2f6f4f; text-transform: uppercase } .method.post { background: #8a5a00 } .method.delete { background: #a03030 } .method.put { background: #5b4a9c }
nav .method { min-width: 2.6rem; font-size: 9px }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line) } th { font-weight: 600; font-size: 13px; color: var(--dim) } td:first-child { white-space: nowrap }
.dim { color: var(--dim) } .need { color: light-dark(#a03030, #ff8f8f); font-size: 12px }
details > summary { cursor: pointer } :target { scroll-margin-top: 1rem } section:target h2 { background: light-dark(#fff6d6, #3a3413) }
@media (max-width: 60rem) { body { display: block } nav { position: static; height: auto; border: 0 } main { padding: 1rem } td:first-child { white-space: normal } }
@media print { body { display: block } nav { display: none } }
`
