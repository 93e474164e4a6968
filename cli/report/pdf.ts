/**
 * The report as a PDF (A4), drawn by pdfmake. The same report gives the same bytes (docs/adr/0014-pdfmake.md): what the library would take from the
 * clock is the end of the period instead.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Content, TDocumentDefinitions, TableCell } from 'pdfmake/interfaces.js'
import { printable } from '../output/table.ts'
import type { Block, Cell, Line, Report } from './blocks.ts'
import { dayColumns, miniBar, stackedBar } from './charts.ts'
import { charactersOf, showable } from './glyphs.ts'
import type { Html } from './html.ts'
import { whole } from './numbers.ts'

const [INK, SOFT, LINE, ACCENT] = ['#1d2327', '#5b646b', '#d9dde0', '#0b5d62']
/** Points between the margins of A4. */
const WIDTH = 595.28 - 2 * 36
const FONTS = join(dirname(createRequire(import.meta.url).resolve('pdfmake/package.json')), 'fonts', 'Roboto')
const font = (name: string): string => join(FONTS, `Roboto-${name}.ttf`)
const ROBOTO = { normal: font('Regular'), bold: font('Medium'), italics: font('Italic'), bolditalics: font('MediumItalic') }

/** Characters; an oid is no longer. */
const LONGEST_WORD = 36

type Say = (text: string) => string
type Drawn = Extract<Content, { stack: unknown }> | Extract<Content, { columns: unknown }>

/** The file's bytes. */
export async function reportPdf(report: Report): Promise<Buffer> {
  // Loaded here: no other command should wait for it.
  const { default: pdfmake } = await import('pdfmake')
  const characters = charactersOf(await readFile(ROBOTO.normal))
  const say: Say = (text) => showable(printable(text), characters)
  pdfmake.setFonts({ Roboto: ROBOTO })
  pdfmake.setUrlAccessPolicy(() => false)
  pdfmake.setLocalAccessPolicy((path) => Object.values(ROBOTO).includes(path))
  return pdfmake.createPdf(definition(report, say)).getBuffer()
}

function definition({ title, period, madeBy, end, blocks }: Report, say: Say): TDocumentDefinitions {
  return {
    pageSize: 'A4',
    pageMargins: [36, 40, 36, 48],
    info: {
      title: say(`${title}, ${period}`),
      ...(madeBy === null ? {} : { author: say(madeBy) }),
      creator: 'trailjoin',
      producer: 'trailjoin',
      creationDate: new Date(`${end ?? '1970-01-01'}T00:00:00Z`),
    },
    language: 'en',
    displayTitle: true,
    defaultStyle: { font: 'Roboto', fontSize: 9, color: INK, lineHeight: 1.15 },
    footer: (page, pages) => ({
      margin: [36, 14, 36, 0],
      columns: [
        { text: say(`${title}, ${period}`), fontSize: 7, color: SOFT },
        { text: `${page} of ${pages}`, fontSize: 7, color: SOFT, alignment: 'right', width: 60 },
      ],
    }),
    content: [
      { text: say(title), fontSize: 20, bold: true },
      { text: say(period), fontSize: 11, color: SOFT, margin: [0, 0, 0, 10] },
      ...sections(blocks).map((section) => sectionContent(section, say)),
    ],
  }
}

/** A heading and the words below it, then everything up to the next heading. */
function sections(blocks: readonly Block[]): (readonly Block[])[] {
  const starts = blocks.flatMap((block, index) => (block.block === 'heading' ? [index] : []))
  return [0, ...starts].map((start, index) => blocks.slice(start, starts[index]))
}

/** Room that must be left on the page below a section's heading and words, in points. */
const BELOW = 60

/** A heading at the foot of a page would be cut off from what it is about: it is not broken from its words and the room below, which what follows takes back. */
function sectionContent(section: readonly Block[], say: Say): Content {
  const words = section.findIndex((block) => block.block !== 'heading' && block.block !== 'text')
  const head = words === -1 ? section : section.slice(0, words)
  const rest = section.slice(head.length).map((block) => content(block, say))
  if (section[0]?.block !== 'heading' || rest.length === 0) return [...head.map((block) => content(block, say)), ...rest]
  const room = { text: '', fontSize: 0.1, margin: [0, 0, 0, BELOW] as [number, number, number, number] }
  return [{ stack: [...head.map((block) => content(block, say)), room], unbreakable: true }, { text: '', fontSize: 0.1, margin: [0, -BELOW, 0, 0] }, ...rest]
}

function content(block: Block, say: Say): Content {
  switch (block.block) {
    case 'heading':
      return {
        stack: [
          { canvas: [{ type: 'line', x1: 0, y1: 0, x2: WIDTH, y2: 0, lineWidth: 1.5, lineColor: ACCENT }] },
          { text: say(block.text), fontSize: 13, bold: true, margin: [0, 5, 0, 3] },
        ],
        margin: [0, 16, 0, 0],
      }
    case 'text':
      return {
        text: say(block.text),
        margin: [0, 0, 0, 6],
        ...(block.as === 'lead' ? { fontSize: 10.5 } : {}),
        ...(block.as === 'soft' ? { color: SOFT } : {}),
      }
    case 'note':
      return panel({ text: say(block.text) }, '#fdf6ea', '#e0912f')
    case 'empty':
      return panel({ text: say(block.text), color: SOFT }, '#f5f6f7', LINE)
    case 'facts':
      return {
        table: {
          widths: ['auto', '*'],
          body: block.facts.map(([name, value]) => [
            { text: say(name), color: SOFT, noWrap: true },
            { text: say(value), ...(block.code ? { fontSize: 8 } : {}) },
          ]),
        },
        layout: { defaultBorder: false, paddingLeft: () => 0, paddingTop: () => 1, paddingBottom: () => 1, paddingRight: () => 14 },
        margin: [0, 2, 0, 8],
      }
    case 'figures':
      return figures(block.figures, say)
    case 'list':
      return { ul: block.items.map((item) => ({ text: say(item), margin: [0, 0, 0, 3] })), margin: [0, 0, 0, 6] }
    case 'bar': {
      const bar = stackedBar(block.parts, block.title)
      return {
        unbreakable: true,
        margin: [0, 4, 0, 4],
        stack: [
          {
            columns: [
              { text: say(block.title), bold: true },
              { text: whole(block.count), color: SOFT, alignment: 'right' },
            ],
            margin: [0, 0, 0, 2],
          },
          bar === null ? panel({ text: 'None.', color: SOFT }, '#f5f6f7', LINE) : drawing(bar, WIDTH),
        ],
      }
    }
    case 'days':
      return { ...drawing(dayColumns(block.days), WIDTH), margin: [0, 4, 0, 4] }
    case 'table':
      return table(block, say)
  }
}

/** Charts have no text from logs but days and numbers. */
const drawing = ({ html: svg }: Html, width: number): { svg: string; width: number; font: string } => ({ svg, width, font: 'Roboto' })

function panel(inside: Content & object, fill: string, edge: string): Content {
  return {
    table: { widths: ['*'], body: [[inside]] },
    layout: {
      fillColor: fill,
      hLineWidth: () => 0,
      vLineWidth: (index) => (index === 0 ? 2.5 : 0),
      vLineColor: edge,
      paddingLeft: () => 8,
      paddingTop: () => 4,
      paddingBottom: () => 4,
    },
    margin: [0, 3, 0, 5],
  }
}

function figures(list: readonly (readonly [string, string])[], say: Say): Content {
  const [four, rows] = [4, Math.ceil(list.length / 4)]
  const cellOf = (index: number): TableCell => {
    const figure = list[index]
    if (!figure) return { text: '', border: [false, false, false, false] }
    return {
      stack: [
        { text: say(figure[0]), fontSize: 14, bold: true },
        { text: say(figure[1]), fontSize: 7.5, color: SOFT },
      ],
    }
  }
  return {
    table: {
      widths: Array.from({ length: four }, () => '*'),
      dontBreakRows: true,
      body: Array.from({ length: rows }, (_, row) => Array.from({ length: four }, (_, column) => cellOf(row * four + column))),
    },
    layout: {
      hLineColor: LINE,
      vLineColor: LINE,
      hLineWidth: () => 0.75,
      vLineWidth: () => 0.75,
      paddingLeft: () => 7,
      paddingTop: () => 5,
      paddingBottom: () => 5,
    },
    margin: [0, 2, 0, 10],
  }
}

function table({ heads, rows, foot }: Block & { readonly block: 'table' }, say: Say): Content {
  const body = [...rows, ...(foot === null ? [] : [foot])]
  return {
    table: {
      headerRows: 1,
      keepWithHeaderRows: 1,
      dontBreakRows: true,
      widths: heads.map((head) => (head.percent !== undefined ? `${head.percent}%` : head.wide ? '*' : 'auto')),
      body: [
        heads.map((head) => ({ text: say(head.text), bold: true, fontSize: 7, ...(head.number ? { alignment: 'right' as const } : {}) })),
        ...body.map((cells) => cells.flatMap((cell) => spread(cellContent(cell, say), cell.columns ?? 1))),
      ],
    },
    layout: {
      hLineWidth: (index, node) => (index === 1 || (foot !== null && index === (node.table.body.length ?? 0) - 1) ? 1 : index === 0 ? 0 : 0.5),
      hLineColor: (index, node) => (index === 1 || (foot !== null && index === node.table.body.length - 1) ? INK : LINE),
      vLineWidth: () => 0,
      paddingLeft: (index) => (index === 0 ? 0 : 4),
      paddingRight: () => 4,
      paddingTop: () => 2.5,
      paddingBottom: () => 2.5,
    },
    margin: [0, 4, 0, 4],
  }
}

/** A cell over several columns is followed by empty ones. */
const spread = (cell: Drawn, columns: number): TableCell[] => [{ ...cell, colSpan: columns }, ...Array.from({ length: columns - 1 }, () => ({ text: '' }))]

function cellContent(cell: Cell, say: Say): Drawn {
  const unbroken = cell.number === true || cell.whole === true
  const lines: Content[] = cell.lines.map((line) => lineContent(line, say, unbroken))
  const bar: Content[] = cell.bar ? [{ ...drawing(miniBar(cell.bar.parts, cell.bar.most), 80), margin: [0, 2, 0, 0] }] : []
  const stack: Content = { stack: [...lines, ...bar] }
  return {
    ...(cell.swatch === undefined
      ? stack
      : {
          columns: [
            { canvas: [{ type: 'rect', x: 0, y: 1.5, w: 7, h: 7, color: cell.swatch, lineColor: '#999999', lineWidth: 0.5 }], width: 11 },
            { ...stack, width: 'auto' },
          ],
        }),
    fontSize: 7.5,
    ...(cell.number ? { alignment: 'right' } : {}),
  }
}

function lineContent({ text, as }: Line, say: Say, unbroken: boolean): Content {
  const look = { strong: { bold: true }, id: { fontSize: 6, color: SOFT }, soft: { color: SOFT }, sub: { fontSize: 6.5, color: SOFT } }
  const shown = say(text)
  // A word as long as a column would push the others off the page.
  const long = shown.split(/\s/).some((word) => word.length > LONGEST_WORD)
  return { text: shown, ...(as ? look[as] : {}), ...(unbroken ? { noWrap: true } : long ? { wordBreak: 'break-all' } : {}) }
}
