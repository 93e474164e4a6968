import type { Confidence, Role } from '../api-types.ts'

/**
 * Each confidence has its own shape beside its own colour (Okabe–Ito, which the common forms of colour blindness can tell
 * apart), so neither colour nor shape alone must be seen. The weaker the ground, the less solid the mark.
 */
type Pen = Pick<Path2D, 'moveTo' | 'lineTo' | 'closePath' | 'arc' | 'rect'>

/** Draws the outline of a confidence's shape around (0, 0); `size` is about its half width. */
export function tracePath(pen: Pen, confidence: Confidence, size: number): void {
  const polygon = (...corners: readonly (readonly [number, number])[]): void => {
    corners.forEach(([x, y], index) => (index === 0 ? pen.moveTo(x * size, y * size) : pen.lineTo(x * size, y * size)))
    pen.closePath()
  }
  switch (confidence) {
    case 'exact':
      pen.arc(0, 0, size, 0, 2 * Math.PI)
      return
    case 'derived':
      pen.rect(-size * 0.88, -size * 0.88, size * 1.76, size * 1.76)
      return
    case 'probable':
      polygon([0, -1.22], [1.22, 0], [0, 1.22], [-1.22, 0])
      return
    case 'asserted':
      polygon([0, -1.15], [1.15, 0.9], [-1.15, 0.9])
      return
    case 'ambiguous':
      polygon([-1.15, -0.9], [1.15, -0.9], [0, 1.15])
      return
    case 'none':
      pen.arc(0, 0, size * 0.72, 0, 2 * Math.PI)
      return
  }
}

/** The same as text for an SVG `d`. */
export function pathText(confidence: Confidence, size: number): string {
  const parts: string[] = []
  tracePath(
    {
      moveTo: (x, y) => parts.push(`M${x} ${y}`),
      lineTo: (x, y) => parts.push(`L${x} ${y}`),
      closePath: () => parts.push('Z'),
      arc: (x, y, r) => parts.push(`M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`),
      rect: (x, y, w, h) => parts.push(`M${x} ${y}h${w}v${h}h${-w}Z`),
    },
    confidence,
    size,
  )
  return parts.join('')
}

/** Solid for what the oid itself did; hollow where it is only one of several candidates, or only the target of a change. */
export const isHollow = (role: Role | null, confidence: Confidence): boolean => role === 'candidate' || role === 'target' || confidence === 'none'
