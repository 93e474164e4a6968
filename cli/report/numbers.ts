/** Numbers as people read them. */

/** A whole number with commas. */
export const whole = (count: number): string => String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',')

/** A share of a whole in per cent, one digit; `–` of nothing. Never 0 % or 100 % where that is not exactly so. */
export function percent(some: number, all: number): string {
  if (all === 0) return '–'
  const tenths = Math.round((some / all) * 1000)
  if (tenths === 0 && some > 0) return '< 0.1 %'
  if (tenths === 1000 && some < all) return '> 99.9 %'
  return `${tenths / 10} %`
}

/** `1 call`, `2 calls`. */
export const callsText = (calls: number): string => (calls === 1 ? '1 call' : `${whole(calls)} calls`)
