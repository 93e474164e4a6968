import { oneSpelling, vocabulary } from '../spelling/vocabulary.ts'
import { own } from './normalise.ts'

export const spelling = oneSpelling(vocabulary(own))
