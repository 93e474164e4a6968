/** The report as one HTML file that needs nothing else: no scripts, no fonts, no network. */
import type { Block, Cell, Head, Line, Report } from './blocks.ts'
import { dayColumns, miniBar, stackedBar } from './charts.ts'
import { html } from './html.ts'
import type { Html } from './html.ts'
import { whole } from './numbers.ts'
import { STYLE } from './style.ts'

/** The file's text. */
export function reportHtml({ title, period, blocks }: Report): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${title}, ${period}</title>
        <style>
          ${{ html: STYLE }}
        </style>
      </head>
      <body>
        <h1>${title}</h1>
        <p class="lead soft">${period}</p>
        ${blocks.map(blockHtml)}
      </body>
    </html> `.html
}

function blockHtml(block: Block): Html {
  switch (block.block) {
    case 'heading':
      return html`<h2>${block.text}</h2> `
    case 'text':
      return html`<p class="${block.as ?? ''}">${block.text}</p> `
    case 'note':
    case 'empty':
      return html`<p class="${block.block}">${block.text}</p> `
    case 'facts':
      return html`<dl class="facts">
        ${block.facts.map(
          ([name, value]) =>
            html`<dt>${name}</dt>
              <dd>${block.code ? html`<code>${value}</code>` : value}</dd> `,
        )}
      </dl>`
    case 'figures':
      return html`<div class="figures">${block.figures.map(([value, name]) => html`<div class="figure"><b>${value}</b><span>${name}</span></div>`)}</div> `
    case 'list':
      return html`<ul>
        ${block.items.map((item) => html`<li>${item}</li> `)}
      </ul>`
    case 'bar':
      return html`<div class="bar-label"><b>${block.title}</b><span class="soft">${whole(block.count)}</span></div>
        ${stackedBar(block.parts, `${block.title} by certainty`) ?? html`<p class="empty">None.</p>`}`
    case 'days':
      return dayColumns(block.days)
    case 'table':
      return table(block)
  }
}

function table({ heads, rows, foot }: Block & { readonly block: 'table' }): Html {
  return html`<table>
    <thead>
      <tr>
        ${heads.map((head: Head) => html`<th class="${head.number ? 'n' : ''}">${head.text}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (cells) =>
          html`<tr>
            ${cells.map(cellHtml)}
          </tr> `,
      )}
    </tbody>
    ${
      foot === null
        ? html``
        : html`<tfoot>
            <tr>
              ${foot.map(cellHtml)}
            </tr>
          </tfoot>`
    }
  </table>`
}

function cellHtml(cell: Cell): Html {
  const look = `${cell.number ? 'n' : ''}${cell.whole ? ' line' : ''}`.trim()
  const swatch = cell.swatch === undefined ? html`` : html`<span class="swatch" style="background:${cell.swatch}"></span>`
  const bar = cell.bar === undefined ? html`` : miniBar(cell.bar.parts, cell.bar.most)
  return html`<td class="${look}" colspan="${cell.columns ?? 1}">${swatch}${cell.lines.map(lineHtml)}${bar}</td>`
}

function lineHtml({ text, as }: Line, index: number): Html {
  if (as === 'id' || as === 'sub') return html`<span class="${as}">${text}</span>`
  const words = as === 'strong' ? html`<b>${text}</b>` : as === 'soft' ? html`<span class="soft">${text}</span>` : html`${text}`
  return index === 0 ? words : html`<span class="one">${words}</span>`
}
