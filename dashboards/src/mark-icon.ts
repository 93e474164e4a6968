import type { Confidence } from './api-types.ts'
import { svg } from './dom.ts'
import { pathText } from './lanes/marks.ts'

/** A confidence's mark, the same as on the lanes, for legend, table and details. */
export function markIcon(
  confidence: Confidence,
  look: { readonly hollow?: boolean; readonly dashed?: boolean; readonly failed?: boolean } = {},
): SVGSVGElement {
  const hollow = look.hollow || confidence === 'none'
  const icon = svg(
    'svg',
    { class: `mark c-${confidence}`, viewBox: '-9 -9 18 18', 'aria-hidden': 'true' },
    svg('path', { d: pathText(confidence, 5.4), class: hollow ? 'hollow' : 'solid', ...(look.dashed ? { 'stroke-dasharray': '2 1.5' } : {}) }),
  )
  if (look.failed) icon.append(svg('path', { d: 'M-7-7L7 7M7-7L-7 7', class: 'cross-rim' }), svg('path', { d: 'M-7-7L7 7M7-7L-7 7', class: 'cross' }))
  return icon
}
