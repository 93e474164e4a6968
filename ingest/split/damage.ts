/** The text of a file is no JSON from here on, and what follows cannot be told apart from the damage: reading of the file stops. */
export class Damage extends Error {
  readonly line: number
  readonly byte: number

  /** `line` counts from 1, `byte` from 0 (after decompression). */
  constructor(reason: string, line: number, byte: number) {
    super(`line ${line}, byte ${byte}: ${reason}`)
    this.name = 'Damage'
    this.line = line
    this.byte = byte
  }
}

/** The file does not even begin like JSON records: it is a foreign file, and rejected as one. */
export class NotJson extends Error {
  /** What the file begins with, for a person. */
  constructor(reason: string) {
    super(`not JSON: ${reason}`)
    this.name = 'NotJson'
  }
}
