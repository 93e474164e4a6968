/** Federated identity credentials as an audit record shows them: the whole list before and after, as JSON text. */
import type { Fic } from '#core/event.ts'
import { canonicalJson, type Json } from '#core/record.ts'
import { oid, type Oid } from '#core/keys.ts'
import { arr, getAnyCase, isObj, parseIfText, str } from '../read.ts'

/** The credentials of one side; null where the record does not say or writes something that is no list of credentials. */
export function ficsOf(value: Json | undefined): readonly Fic[] | null {
  if (!Array.isArray(value)) return null
  const items = (value as readonly Json[]).flatMap((item) => {
    const parsed: unknown = parseIfText(item)
    return Array.isArray(parsed) ? (parsed as readonly Json[]) : [parsed as Json]
  })
  if (!items.every(isObj)) return null
  return items.flatMap((item) => {
    const issuer = str(getAnyCase(item, 'Issuer'))
    const subject = str(getAnyCase(item, 'Subject'))
    // A flexible credential has a matching expression in place of a subject: it names no one principal.
    if (issuer === null || subject === null) return []
    const audiences = arr(getAnyCase(item, 'Audiences'))
      .map(str)
      .filter((audience) => audience !== null)
    return [
      {
        id: str(getAnyCase(item, 'Id')),
        name: str(getAnyCase(item, 'Name')),
        issuer,
        subject,
        audiences,
      },
    ]
  })
}

/** The principals whose credential was added, removed or changed. */
export function changedSubjects(before: readonly Fic[], after: readonly Fic[]): readonly Oid[] {
  const text = (fic: Fic): string => canonicalJson({ ...fic, audiences: [...fic.audiences] })
  const old = new Set(before.map(text))
  const now = new Set(after.map(text))
  const changed = [...before.filter((fic) => !now.has(text(fic))), ...after.filter((fic) => !old.has(text(fic)))]
  return changed.map((fic) => subjectOid(fic.subject)).filter((subject) => subject !== null)
}

/** The subject where it is an oid; of an `/eid1/c/pub/t/<tid>/a/<blueprint>/<agent oid>` subject the agent in its last part (facts/entra.md a.3). */
function subjectOid(subject: string): Oid | null {
  return oid(subject) ?? (subject.startsWith('/eid1/') ? oid(subject.slice(subject.lastIndexOf('/') + 1)) : null)
}
