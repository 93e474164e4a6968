/**
 * The made-up secrets of a simulated record: session tokens, token prefixes, marker words in prompts and answers. None of them may
 * appear in anything that the product stores or prints.
 */
export function secretsIn(text: string): string[] {
  return [...text.matchAll(/IQoJb3JpZ2luX2Vj[A-Za-z0-9]{120}|ya29\.c\.[A-Za-z0-9]{40}|\bmk[A-Za-z0-9]{12}\b/g)].map(([secret]) => secret)
}
