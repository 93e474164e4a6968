import type { TextReader } from '../text-reader.ts'

/** The readers of texts that are no JSON; the first that fits reads the text. */
export const tableReaders: readonly TextReader[] = []
