/** Decimal numbers of exports as whole numbers of 10⁻¹⁸: sums of amounts and costs are exact. Pure. */

const SCALE = 18

/**
 * @param text a decimal number, also with an exponent
 * @returns the number in units of 10⁻¹⁸, cut off there; null when the text is no decimal number, or has more digits than any price (20 before the point, 40 behind it)
 */
export function decimal(text: string): bigint | null {
  const match = /^([+-]?)(\d{0,20})(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,2}))?$/.exec(text.trim())
  if (!match) return null
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return null
  const shift = SCALE + Number(exponent) - fraction.length
  const digits = BigInt(`0${whole}${fraction}`)
  // Digits beyond the eighteenth are cut off: no price has them.
  const size = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift)
  return sign === '-' ? -size : size
}

/** The nearest whole number. */
export function rounded(value: bigint): number {
  const one = 10n ** BigInt(SCALE)
  const half = value < 0n ? -one / 2n : one / 2n
  return Number((value + half) / one)
}
