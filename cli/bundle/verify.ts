/**
 * Checks an evidence bundle without a database: the seal over all bytes of the file, every entry against the manifest, the chain, and what the entries say of each other: each
 * event has the raw record that it was made from, each text its hash, each reference its event. Memory holds ids of events that others rest on, and no entry.
 */
import { BundleManifest, chained, ENTRIES, MANIFEST_NAME, sealOf } from '#api/exports/bundle/format.ts'
import { fileSeal, openArchive } from './archive.ts'
import type { Archive } from './archive.ts'
import { checkContent } from './content.ts'
import { hashed } from './lines.ts'

export interface Verdict {
  /** One line each; none: the bundle is whole and unchanged. */
  readonly faults: readonly string[]
  /** More faults than these were found. */
  readonly more: number
  /** SHA-256 of the file. */
  readonly sha256: string
  readonly manifest: BundleManifest | null
}

/** Enough to see what happened; a bundle with one wrong byte can have many faults that follow from it. */
const MAX_FAULTS = 50

/**
 * Checks a bundle.
 * @param expected SHA-256 of the file, noted when it was made
 * @throws when the file cannot be read
 */
export async function verifyBundle(path: string, expected?: string): Promise<Verdict> {
  const faults: string[] = []
  let more = 0
  const report = (fault: string): void => void (faults.length < MAX_FAULTS ? faults.push(fault) : more++)
  const { sha256, sealed } = await fileSeal(path)
  if (expected !== undefined && expected.toLowerCase() !== sha256) report(`The file is not the one noted: its SHA-256 is ${sha256}.`)
  if (!sealed) report('The bytes of the file do not have the SHA-256 that its archive comment gives (or it has none): something was changed.')
  let manifest: BundleManifest | null = null
  let archive: Archive | null = null
  try {
    archive = await openArchive(path)
    manifest = await readManifest(archive, report)
    if (manifest) {
      checkManifest(manifest, report)
      if (checkNames(archive, manifest, report) && (await checkEntries(archive, manifest, report))) await checkContent(archive, manifest, report)
    }
  } catch (error) {
    report(`The file cannot be read as a zip: ${messageOf(error)}`)
  } finally {
    archive?.close()
  }
  return { faults, more, sha256, manifest }
}

type Report = (fault: string) => void
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

async function readManifest(archive: Archive, report: Report): Promise<BundleManifest | null> {
  const index = archive.names.indexOf(MANIFEST_NAME)
  if (index === -1) {
    report(`${MANIFEST_NAME} is missing: this is no evidence bundle.`)
    return null
  }
  try {
    const parts: Buffer[] = []
    for await (const part of archive.bytes(index)) parts.push(part)
    const parsed = BundleManifest.safeParse(JSON.parse(Buffer.concat(parts).toString('utf8')))
    if (parsed.success) return parsed.data
    report(`${MANIFEST_NAME} is not as a manifest must be: ${parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ')}`)
  } catch (error) {
    report(`${MANIFEST_NAME} cannot be read: ${messageOf(error)}`)
  }
  return null
}

function checkManifest(manifest: BundleManifest, report: Report): void {
  const links = chained(manifest.entries)
  manifest.entries.forEach((entry, index) => {
    if (entry.chain !== links[index]!.chain) report(`${MANIFEST_NAME}: the chain breaks at ${entry.name}.`)
  })
  if (sealOf(manifest) !== manifest.seal) report(`${MANIFEST_NAME}: its seal does not fit: something in it was changed.`)
  const listed = manifest.entries.map((entry) => entry.name)
  if (listed.join('\n') !== ENTRIES.join('\n')) report(`${MANIFEST_NAME} lists ${listed.join(', ')}; a bundle has ${ENTRIES.join(', ')}.`)
}

/** Whether the archive holds what the manifest lists, in its order, the manifest last. */
function checkNames({ names }: Archive, manifest: BundleManifest, report: Report): boolean {
  const expected = [...manifest.entries.map((entry) => entry.name), MANIFEST_NAME]
  const missing = expected.filter((name) => !names.includes(name))
  const extra = names.filter((name, index) => !expected.includes(name) || names.indexOf(name) !== index)
  for (const name of missing) report(`${name} is missing.`)
  for (const name of extra) report(`${JSON.stringify(name)} does not belong into the bundle.`)
  if (missing.length > 0 || extra.length > 0) return false
  if (names.join('\n') !== expected.join('\n')) report(`The entries stand in another order: ${names.join(', ')}.`)
  return true
}

/** Whether every entry has the bytes that the manifest says. */
async function checkEntries(archive: Archive, manifest: BundleManifest, report: Report): Promise<boolean> {
  let whole = true
  for (const entry of manifest.entries) {
    try {
      const { bytes, sha256 } = await hashed(archive.bytes(archive.names.indexOf(entry.name)))
      if (bytes === entry.bytes && sha256 === entry.sha256) continue
      report(`${entry.name} was changed: it has ${bytes} bytes and the SHA-256 ${sha256}, the manifest says ${entry.bytes} and ${entry.sha256}.`)
    } catch (error) {
      report(`${entry.name} cannot be read: ${messageOf(error)}`)
    }
    whole = false
  }
  return whole
}
