/** The certificate of this server, where no proxy has one. Renewed certificates are taken without a restart. */
import { readFile } from 'node:fs/promises'
import type { Server } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { Log } from '../log.ts'

export interface TlsFiles {
  /** PEM, with the certificates between it and the root. */
  readonly cert: string
  readonly key: string
}

export interface TlsPair {
  readonly cert: Buffer
  readonly key: Buffer
}

/** Certificates are renewed weeks before they end. */
const LOOK_EVERY_MS = 60_000

/** @throws Error for the operator: a file that cannot be read, or a certificate and key that do not belong together */
export async function readTls({ cert, key }: TlsFiles): Promise<TlsPair> {
  const read = async (file: string): Promise<Buffer> => {
    try {
      return await readFile(file)
    } catch (error) {
      throw new Error(`The TLS file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
  const pair = { cert: await read(cert), key: await read(key) }
  try {
    createSecureContext(pair)
  } catch (error) {
    throw new Error(`${cert} and ${key} are no PEM certificate and key that belong together: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  return pair
}

/**
 * Looks now and then whether the files have changed, and takes what they hold then. A broken pair is told in the log, and the old one stays.
 * @returns stops it
 */
export function keepTlsFresh(server: Server, files: TlsFiles, first: TlsPair, log: Log, everyMs: number = LOOK_EVERY_MS): () => void {
  let current = first
  const look = async (): Promise<void> => {
    try {
      const pair = await readTls(files)
      if (pair.cert.equals(current.cert) && pair.key.equals(current.key)) return
      server.setSecureContext(pair)
      current = pair
    } catch (error) {
      log.error({ err: error }, 'the TLS certificate could not be renewed; the old one stays')
    }
  }
  const timer = setInterval(() => void look(), everyMs).unref()
  return () => clearInterval(timer)
}
