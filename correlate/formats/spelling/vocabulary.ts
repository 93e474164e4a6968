/**
 * The member names that a format's records have, depth by depth, as their cloud writes them. Exporters write the same names in lower case (Athena), with capitals
 * (PowerShell), with underscores (Log Analytics of Google Cloud), run together (`UserIdentityArn` of Sentinel's AWSCloudTrail) or as other columns altogether: `respell`
 * finds what they stand for. A name counts at its place only: `userIdentity.arn` is not `resources[].ARN`.
 */

/** What may stand in one place of a record. */
export interface Place {
  /** Members of an object; empty where nothing below is known. */
  readonly names: Map<string, Place>
  /** Where the members of an object go that are spelled otherwise, by their folded spelling: a path from here; an empty one puts the members of the object itself here. */
  readonly others: Map<string, readonly string[]>
  /** What stands in a list; null where no list is expected. */
  items: Place | null
  /** An object or list whose members are not known. */
  free: boolean
  /** Without it the record is only half read. */
  essential: boolean
  /** A word: a number in its place (as which some serialisers write it) says nothing. */
  word: boolean
  /** An object or a list, whose members are known or not. */
  structure: boolean
  /** Foreign spellings seen here before, with where they go: null for names that mean nothing here. */
  readonly seen: Map<string, readonly string[] | null>
}

/** The names of one variant of a format. */
export interface Vocabulary {
  readonly root: Place
  /** Folded names of columns without which a row is not of this table. */
  readonly requires: readonly string[]
  /** True where the exporter's own form is to write objects as JSON text (Log Analytics). */
  readonly textCells: boolean
}

/** What a format says about spelling. */
export interface Spelling {
  /** The vocabulary for a record that its format recognises as it stands. */
  readonly of: (value: import('#core/record.ts').JsonObject) => Vocabulary
  /** Those to try on a record that no format recognises. */
  readonly all: readonly Vocabulary[]
}

export interface VocabularyOptions {
  /** Other columns, by their path, and where their value belongs (`'protoPayload.requestJson': 'protoPayload.request'`); both below the same object. */
  readonly columns?: Readonly<Record<string, string>>
  /** Objects in which an exporter collects members that it does not know (`AdditionalProperties`), at any depth. */
  readonly spread?: readonly string[]
  readonly requires?: readonly string[]
  readonly textCells?: boolean
}

/** Spelling without case and separators: `event_id`, `EventID` and `eventID` are one. */
export function fold(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}

/**
 * Compiles paths: `a.b`, `list[].c`, `list[]` (of texts), `map{}` (unknown members), `part!` (essential), `part$` (a word).
 * Of several names that fold to the same the first is what foreign spellings become.
 */
export function vocabulary(paths: readonly string[], { columns = {}, spread = [], requires = [], textCells = false }: VocabularyOptions = {}): Vocabulary {
  const root = newPlace()
  for (const path of paths) add(root, path)
  index(root)
  runTogether(root, root, [])
  for (const [column, target] of Object.entries(columns)) addColumn(root, column, target)
  if (spread.length > 0) addSpread(root, spread.map(fold))
  return { root, requires: requires.map(fold), textCells }
}

/** The paths of these members (names between spaces) below a parent; `''` is the record itself. */
export function below(parent: string, names: string): string[] {
  return names.split(' ').map((name) => (parent === '' ? name : `${parent}.${name}`))
}

/** A format with one variant only. */
export function oneSpelling(only: Vocabulary): Spelling {
  return { of: () => only, all: [only] }
}

function newPlace(): Place {
  return { names: new Map(), others: new Map(), items: null, free: false, essential: false, word: false, structure: false, seen: new Map() }
}

function add(root: Place, path: string): void {
  let place = root
  for (const part of path.split('.')) {
    const [, name, marks] = /^(.+?)((?:!|\$|\[\]|\{\})*)$/.exec(part)!
    let next = place.names.get(name!)
    if (!next) place.names.set(name!, (next = newPlace()))
    place = next
    if (marks!.includes('!')) place.essential = true
    if (marks!.includes('{}')) place.free = true
    if (marks!.includes('$')) place.word = true
    if (marks!.includes('[]')) place = place.items ??= newPlace()
  }
}

function index(place: Place): void {
  place.structure = place.names.size > 0 || place.items !== null || place.free
  for (const [name, next] of place.names) {
    const folded = fold(name)
    if (!place.others.has(folded)) place.others.set(folded, [name])
    index(next)
  }
  if (place.items) index(place.items)
}

/** Flattened records run the names of a path together: `useridentityarn`, `userIdentity.arn`, `user_identity_arn`. What a name of its own means comes first. */
function runTogether(root: Place, place: Place, path: readonly string[]): void {
  for (const [name, next] of place.names) {
    const whole = [...path, name]
    const folded = whole.map(fold).join('')
    if (whole.length > 1 && !root.others.has(folded)) root.others.set(folded, whole)
    runTogether(root, next, whole)
  }
}

function addColumn(root: Place, column: string, target: string): void {
  const from = column.split('.')
  const parent = from.slice(0, -1)
  const place = parent.reduce((at, name) => at.names.get(name)!, root)
  const to = target.split('.')
  if (!parent.every((name, depth) => to[depth] === name)) throw new Error(`The column ${column} cannot go to ${target}: that is another object.`)
  place.others.set(fold(from.at(-1)!), to.slice(parent.length))
}

function addSpread(place: Place, names: readonly string[]): void {
  for (const name of names) if (!place.others.has(name)) place.others.set(name, [])
  for (const next of place.names.values()) if (next.names.size > 0 || next.items) addSpread(next, names)
  if (place.items && place.items.names.size > 0) addSpread(place.items, names)
}
