import type { TextReader } from '../text-reader.ts'
import { csvReader } from './csv.ts'
import { prefixedReader } from './prefixed.ts'
import { yamlReader } from './yaml.ts'

/** The readers of texts that are no JSON; the first that fits reads the text. */
export const tableReaders: readonly TextReader[] = [csvReader, yamlReader, prefixedReader]
