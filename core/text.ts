/**
 * Text that PostgreSQL can hold: NUL characters and lone surrogates (both legal in JSON, both refused by `text` and `jsonb`) become
 * U+FFFD. The raw record keeps them; only columns made from it are changed.
 */
export function storable(text: string): string {
  return (text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text).toWellFormed()
}
