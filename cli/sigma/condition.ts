/** Sigma's conditions: names of selections, `and`, `or`, `not`, parentheses, `1 of x*`, `all of x*`, `1 of them`. */
import { type Place, refuse } from './fault.ts'
import type { Test } from './match.ts'

/**
 * The conditions as a test: one of them is enough.
 * @param unusedMayBe published rules keep selections that nothing uses; in others that is an oversight
 * @throws SigmaError naming what is not understood, and selections that are used nowhere
 */
export function compileCondition(texts: readonly string[], selections: ReadonlyMap<string, Test>, unusedMayBe: boolean, place: Place): Test {
  const used = new Set<string>()
  const tests = texts.map((text) => compileOne(text, selections, used, place))
  const unused = [...selections.keys()].find((name) => !used.has(name))
  if (unused !== undefined && !unusedMayBe) refuse(place, `the selection "${unused}" stands in the detection and not in the condition`)
  return tests.length === 1 ? tests[0]! : (event) => tests.some((test) => test(event))
}

function compileOne(text: string, selections: ReadonlyMap<string, Test>, used: Set<string>, place: Place): Test {
  if (text.includes('|')) refuse(place, 'aggregations behind "|" are not supported: write a correlation rule (docs/sigma.md)')
  const tokens = text.match(/[()]|[^\s()]+/g) ?? []
  let at = 0
  const word = (): string | undefined => tokens[at]?.toLowerCase()

  const either = (): Test => {
    const tests = [both()]
    while (word() === 'or') {
      at++
      tests.push(both())
    }
    return tests.length === 1 ? tests[0]! : (event) => tests.some((test) => test(event))
  }
  const both = (): Test => {
    const tests = [negation()]
    while (word() === 'and') {
      at++
      tests.push(negation())
    }
    return tests.length === 1 ? tests[0]! : (event) => tests.every((test) => test(event))
  }
  const negation = (): Test => {
    if (word() !== 'not') return atom()
    at++
    const test = negation()
    return (event) => !test(event)
  }
  const atom = (): Test => {
    const token = tokens[at++]
    if (token === undefined) return refuse(place, 'the condition ends too early')
    if (token === '(') {
      const test = either()
      if (tokens[at++] !== ')') refuse(place, 'a parenthesis of the condition is not closed')
      return test
    }
    if (word() === 'of') return several(token)
    const test = selections.get(token)
    if (!test) return refuse(place, `the condition names "${token}", and the detection has ${[...selections.keys()].join(', ') || 'no selection'}`)
    used.add(token)
    return test
  }
  const several = (quantity: string): Test => {
    at++
    const pattern = tokens[at++]
    if (pattern === undefined) return refuse(place, `"${quantity} of" of what?`)
    const every = quantity.toLowerCase() === 'all'
    if (!every && quantity !== '1' && quantity.toLowerCase() !== 'any') refuse(place, `"${quantity} of" is not supported: write 1, any or all`)
    const names = [...selections.keys()].filter((name) => (pattern.toLowerCase() === 'them' ? !name.startsWith('_') : fits(name, pattern)))
    if (names.length === 0) refuse(place, `"${pattern}" fits no selection`)
    for (const name of names) used.add(name)
    const tests = names.map((name) => selections.get(name)!)
    return every ? (event) => tests.every((test) => test(event)) : (event) => tests.some((test) => test(event))
  }

  if (tokens.length === 0) refuse(place, 'the condition is empty')
  const test = either()
  if (at < tokens.length) refuse(place, `"${tokens[at]}" in the condition is not understood`)
  return test
}

const fits = (name: string, pattern: string): boolean =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replaceAll(/[^\w-]/g, String.raw`\$&`))
      .join('.*')}$`,
  ).test(name)
