import type { Pieces, Splitter } from './split/splitter.ts'

/** How much of a text's beginning decides how it is read, in bytes. */
export const HEAD_BYTES = 64 * 1024

/**
 * A way to read texts that are no JSON: a table, an export with something before each record. What it finds is handed over as records (an object and its JSON
 * text, the line it begins on) and goes the way of all records from there: envelopes, masking, formats.
 */
export interface TextReader {
  /**
   * Whether the text is one for this reader. `head` is its beginning, up to `HEAD_BYTES` without a byte-order mark; `whole` is true when that is all of it.
   * Texts that begin with a brace are JSON and are not asked about. The answer must be cheap, and no for everything that is not surely meant.
   */
  readonly fits: (head: string, whole: boolean) => boolean
  /** Begins one text. The bytes follow from its first on, cut anywhere. */
  readonly open: (pieces: Pieces) => Splitter
}
