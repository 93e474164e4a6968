/** A rule that cannot be run as it is written. The message names file, line and reason. */
export class SigmaError extends Error {
  override readonly name = 'SigmaError'
}

/** Where something stands in a rule's file. */
export interface Place {
  readonly file: string
  readonly line: number
}

/** @throws SigmaError always */
export function refuse({ file, line }: Place, why: string): never {
  throw new SigmaError(`${file}:${line}: ${why}`)
}
