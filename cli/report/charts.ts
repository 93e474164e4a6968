/** Bars as SVG that needs no style sheet: it stands in the HTML and in the PDF. */
import { html } from './html.ts'
import type { Html } from './html.ts'
import { percent, whole } from './numbers.ts'

export interface Part {
  readonly label: string
  readonly count: number
  readonly colour: string
}

/** One bar of the whole width, cut into parts; a part that is wide enough says its share. Null where there is nothing to show. */
export function stackedBar(parts: readonly Part[], title: string): Html | null {
  const width = 1000
  const total = parts.reduce((sum, part) => sum + part.count, 0)
  if (total === 0) return null
  let x = 0
  const boxes = parts.flatMap((part) => {
    const size = (part.count / total) * width
    const left = x
    x += size
    if (part.count === 0) return []
    const label =
      size > 62
        ? html`<text
            x="${fixed(left + size / 2)}"
            y="21"
            text-anchor="middle"
            font-size="14"
            font-weight="600"
            fill="${isDark(part.colour) ? '#fff' : '#1d2327'}"
            >${percent(part.count, total)}</text
          >`
        : html``
    return [
      html`<rect x="${fixed(left)}" y="0" width="${fixed(size)}" height="32" fill="${part.colour}" stroke="#fff"
          ><title>${part.label}: ${whole(part.count)} (${percent(part.count, total)})</title></rect
        >${label}`,
    ]
  })
  return html`<svg class="bar" viewBox="0 0 ${width} 32" role="img" aria-label="${title}">${boxes}</svg>`
}

/** A small bar for a table cell: the parts in the scale of `most`. */
export function miniBar(parts: readonly Part[], most: number): Html {
  let x = 0
  const boxes = parts.flatMap((part) => {
    const size = most === 0 ? 0 : (part.count / most) * 110
    const left = x
    x += size
    return part.count === 0 ? [] : [html`<rect x="${fixed(left)}" y="0" width="${fixed(Math.max(size, 1))}" height="8" fill="${part.colour}" />`]
  })
  return html`<svg class="mini" viewBox="0 0 110 8" aria-hidden="true">${boxes}</svg>`
}

export interface DayColumn {
  /** UTC day. */
  readonly day: string
  readonly parts: readonly Part[]
}

/** A column for each day, days without calls included. */
export function dayColumns(days: readonly DayColumn[]): Html {
  const [width, height, left, bottom] = [1000, 190, 52, 24]
  const totals = days.map(({ parts }) => parts.reduce((sum, part) => sum + part.count, 0))
  const most = niceTop(Math.max(...totals, 1))
  const step = (width - left) / days.length
  const scale = (height - bottom - 8) / most
  const every = Math.ceil(days.length / 12)
  const columns = days.map(({ day, parts }, index) => {
    let y = height - bottom
    const gap = Math.min(step * 0.2, 6)
    const boxes = parts.flatMap((part) => {
      const size = part.count * scale
      y -= size
      if (part.count === 0) return []
      return [
        html`<rect
          x="${fixed(left + index * step + gap / 2)}"
          y="${fixed(y)}"
          width="${fixed(Math.min(step - gap, 90))}"
          height="${fixed(size)}"
          fill="${part.colour}"
          ><title>${day}, ${part.label}: ${whole(part.count)}</title></rect
        >`,
      ]
    })
    const label =
      index % every === 0 ? html`<text x="${fixed(left + index * step + gap / 2)}" y="${height - 7}" font-size="11" fill="#5b646b">${day}</text>` : html``
    return html`${boxes}${label}`
  })
  const lines = [0, most / 2, most].map(
    (count) =>
      html`<line
          x1="${left}"
          x2="${width}"
          y1="${fixed(height - bottom - count * scale)}"
          y2="${fixed(height - bottom - count * scale)}"
          stroke="#d9dde0"
        /><text x="${left - 6}" y="${fixed(height - bottom - count * scale + 4)}" text-anchor="end" font-size="11" fill="#5b646b">${whole(count)}</text>`,
  )
  return html`<svg class="days" viewBox="0 0 ${width} ${height}" role="img" aria-label="Calls by day">${lines}${columns}</svg>`
}

/** The next of 2, 4, 10, 20, 40, 100 …: its half is a whole number. */
function niceTop(count: number): number {
  for (let power = 1; ; power *= 10) for (const factor of [2, 4, 10]) if (factor * power >= count) return factor * power
}

// Two digits: the same bytes everywhere, and no false precision.
const fixed = (value: number): string => String(Math.round(value * 100) / 100)

function isDark(colour: string): boolean {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) as [number, number, number]
  return red * 0.3 + green * 0.59 + blue * 0.11 < 140
}
