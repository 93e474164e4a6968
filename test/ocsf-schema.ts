/** Checks an OCSF event against the published schema (an excerpt of it, `test/fixtures/ocsf/`), attribute by attribute. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Attribute {
  readonly type: string
  readonly requirement: 'required' | 'recommended' | 'optional'
  readonly object?: string
  readonly array?: boolean
  readonly profiles?: readonly string[]
  readonly enum?: Readonly<Record<string, string>>
  readonly sibling?: string
}

interface Thing {
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly constraints?: { readonly at_least_one?: readonly string[]; readonly just_one?: readonly string[] }
}

interface Schema {
  readonly types: Readonly<
    Record<string, { readonly type?: string; readonly regex?: string; readonly max_len?: number; readonly range?: readonly [number, number] }>
  >
  readonly classes: Readonly<
    Record<
      string,
      Thing & { readonly uid: number; readonly caption: string; readonly category_uid: number; readonly category: string; readonly profiles: readonly string[] }
    >
  >
  readonly objects: Readonly<Record<string, Thing>>
}

const read = (name: string): Schema => JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/ocsf', name), 'utf8')) as Schema
const EVENTS = read('ocsf-1.8.0-excerpt.json')
const FINDING = read('ocsf-1.8.0-detection-finding.json')
const SCHEMA: Schema = {
  types: EVENTS.types,
  classes: { ...EVENTS.classes, ...FINDING.classes },
  objects: { ...EVENTS.objects, ...FINDING.objects },
}

/** @returns what is wrong with the event, one line a fault; nothing when it is an event as the schema says */
export function ocsfFaults(event: Readonly<Record<string, unknown>>): readonly string[] {
  const found = Object.values(SCHEMA.classes).find((one) => one.uid === event['class_uid'])
  if (!found) return [`class_uid ${String(event['class_uid'])} is no class of the excerpt`]
  const profiles = ((event['metadata'] as { profiles?: string[] } | undefined)?.profiles ?? []) as readonly string[]
  const faults = profiles.filter((profile) => !found.profiles.includes(profile)).map((profile) => `the class has no profile ${profile}`)
  const says = (name: string, value: unknown): void => {
    if (event[name] !== value) faults.push(`${name} is ${String(event[name])}, not ${String(value)}`)
  }
  says('category_uid', found.category_uid)
  says('category_name', found.category)
  says('class_name', found.caption)
  says('type_uid', found.uid * 100 + Number(event['activity_id']))
  says('type_name', `${found.caption}: ${String(event['activity_name'])}`)
  return [...faults, ...thingFaults(found, event, profiles, '')]
}

function thingFaults(thing: Thing, value: Readonly<Record<string, unknown>>, profiles: readonly string[], path: string): string[] {
  const applies = (attribute: Attribute): boolean => !attribute.profiles || attribute.profiles.some((profile) => profiles.includes(profile))
  const faults: string[] = []
  for (const [name, attribute] of Object.entries(thing.attributes))
    if (attribute.requirement === 'required' && applies(attribute) && value[name] === undefined) faults.push(`${path}${name} is required`)
  for (const [name, given] of Object.entries(value)) {
    const attribute = thing.attributes[name]
    if (!attribute) faults.push(`${path}${name} is no attribute`)
    else if (!applies(attribute)) faults.push(`${path}${name} needs the profile ${String(attribute.profiles)}`)
    else faults.push(...attributeFaults(attribute, given, profiles, path + name), ...siblingFaults(attribute, given, value, path + name))
  }
  const { at_least_one: some, just_one: one } = thing.constraints ?? {}
  if (some && !some.some((name) => value[name] !== undefined)) faults.push(`${path} has none of ${some.join(', ')}`)
  if (one && one.filter((name) => value[name] !== undefined).length !== 1) faults.push(`${path} has not exactly one of ${one.join(', ')}`)
  return faults
}

function attributeFaults(attribute: Attribute, given: unknown, profiles: readonly string[], path: string): string[] {
  if (attribute.array === true)
    return Array.isArray(given)
      ? given.flatMap((item, index) => attributeFaults({ ...attribute, array: false }, item, profiles, `${path}[${index}]`))
      : [`${path} is no array`]
  if (attribute.type === 'object_t') {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return [`${path} is no object`]
    // `object` is OCSF's word for "any attributes", which `unmapped` is.
    if (attribute.object === 'object') return []
    const thing = SCHEMA.objects[attribute.object ?? '']
    return thing
      ? thingFaults(thing, given as Record<string, unknown>, profiles, `${path}.`)
      : [`${path}: the object ${String(attribute.object)} is not in the excerpt`]
  }
  return [
    ...typeFaults(attribute.type, given, path),
    ...(attribute.enum && !(String(given) in attribute.enum) ? [`${path}: ${String(given)} is none of its values`] : []),
  ]
}

function typeFaults(name: string, given: unknown, path: string): string[] {
  const type = SCHEMA.types[name]
  if (!type) return [`${path}: there is no type ${name}`]
  switch (type.type ?? name) {
    case 'string_t':
      if (typeof given !== 'string') return [`${path} is no text`]
      if (type.max_len !== undefined && given.length > type.max_len) return [`${path} is longer than ${type.max_len}`]
      return type.regex !== undefined && !new RegExp(type.regex).test(given) ? [`${path}: "${given}" is no ${name}`] : []
    case 'integer_t':
    case 'long_t':
      if (!Number.isSafeInteger(given)) return [`${path} is no whole number`]
      return type.range && (Number(given) < type.range[0] || Number(given) > type.range[1]) ? [`${path} is out of range`] : []
    case 'boolean_t':
      return typeof given === 'boolean' ? [] : [`${path} is neither true nor false`]
    default:
      return [`${path}: the type ${name} is not checked`]
  }
}

/** An id says the same as the text beside it; only `Other` (99) has text of its own. */
function siblingFaults(attribute: Attribute, given: unknown, value: Readonly<Record<string, unknown>>, path: string): string[] {
  if (!attribute.sibling || !attribute.enum || given === 99 || path === 'type_uid') return []
  const text = value[attribute.sibling]
  return text === undefined || text === attribute.enum[String(given)] ? [] : [`${path} is ${String(given)}, beside it stands ${JSON.stringify(text)}`]
}
