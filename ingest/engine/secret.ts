/** Secrets stand in the configuration only by reference: nobody can print, log or commit what is not there. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { SourceError } from './source-error.ts'

/** `{env: NAME}` or `{file: path}` in the configuration. */
export const secretReference = z
  .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })], {
    error: 'is no reference to a secret: write {env: NAME_OF_A_VARIABLE} or {file: /path/of/a/file}',
  })
  .meta({
    description: 'A secret by reference: {env: NAME} or {file: path}. The value itself never stands in the configuration.',
  })

export type SecretReference = z.output<typeof secretReference>

/** How messages name a secret. */
function nameOf(reference: SecretReference): string {
  return 'env' in reference ? `the environment variable ${reference.env}` : `the file ${reference.file}`
}

/**
 * The value behind a reference; of a file the text without the line break that editors add.
 * @throws SourceError `SOURCE_MISCONFIGURED` when it is absent or empty
 */
export async function readSecret(reference: SecretReference, environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  let value: string
  try {
    value = 'env' in reference ? (environment[reference.env] ?? '') : (await readFile(reference.file, 'utf8')).replace(/\r?\n$/, '')
  } catch (cause) {
    throw new SourceError('SOURCE_MISCONFIGURED', `${nameOf(reference)} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  if (value === '')
    throw new SourceError(
      'SOURCE_MISCONFIGURED',
      `${nameOf(reference)} is ${'env' in reference ? 'not set' : 'empty'}: give it its value where this program is started, or correct the reference`,
    )
  return value
}
