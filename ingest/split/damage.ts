/** The text ends inside a record or an array: what was complete before, and what could be told apart behind a damage, has been handed over. */
export class Damage extends Error {
  readonly line: number
  readonly byte: number

  /** The broken end has been handed over as rejected; otherwise there is none, because the text ends between two records. */
  readonly remains: boolean

  /** `line` counts from 1, `byte` from 0 (after decompression). */
  constructor(reason: string, line: number, byte: number, remains: boolean) {
    super(`line ${line}, byte ${byte}: ${reason}`)
    this.name = 'Damage'
    this.line = line
    this.byte = byte
    this.remains = remains
  }
}
