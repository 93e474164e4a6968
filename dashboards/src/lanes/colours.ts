import type { Confidence } from '../api-types.ts'
import { CONFIDENCE_WORDS, keysOf } from '../words.ts'

/** The style sheet's colours as a canvas needs them. */
export interface Colours {
  readonly confidence: Readonly<Record<Confidence, string>>
  readonly failure: string
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly lane: string
  readonly surface: string
  readonly accent: string
}

/** Reads the colours of the theme in force. A probe element is asked, because a custom property itself keeps `light-dark()` unresolved. */
export function readColours(host: HTMLElement): Colours {
  const probe = document.createElement('span')
  host.append(probe)
  const read = (name: string): string => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const confidence = Object.fromEntries(keysOf(CONFIDENCE_WORDS).map((word) => [word, read(`c-${word}`)])) as Record<Confidence, string>
  const colours: Colours = {
    confidence,
    failure: read('failure'),
    text: read('text'),
    muted: read('muted'),
    line: read('line'),
    lane: read('lane'),
    surface: read('surface'),
    accent: read('accent'),
  }
  probe.remove()
  return colours
}
