import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import express from 'express'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listen } from '../listen.ts'
import { makeCertificate } from './testing/certificate.ts'
import { readTls } from './tls.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trailjoin-tls-'))
  for (const name of ['one', 'two']) makeCertificate(folder, name, name, 1)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The name on the certificate that the server shows. */
const certificateOf = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = request(url, { rejectUnauthorized: false, agent: false }, (response) => {
      const name = (response.socket as TLSSocket).getPeerCertificate().subject.CN
      response.resume()
      resolve(String(name))
    })
    asked.on('error', reject)
    asked.end()
  })

test('with a certificate it serves https, and takes a renewed one without a restart; a broken one it does not', async () => {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const take = async (name: string) => {
    await copyFile(join(folder, `${name}.key`), files.key)
    await copyFile(join(folder, `${name}.pem`), files.cert)
  }
  await take('one')
  const errors: string[] = []
  const log = { info: () => undefined, error: (_fields: unknown, message: string) => void errors.push(message) }
  const server = await listen(
    express().use((_request, response) => response.send('ok')),
    { host: '127.0.0.1', port: 0, tls: files, log, tlsEveryMs: 20 },
  )
  try {
    expect(server.url).toMatch(/^https:/)
    expect(await certificateOf(server.url)).toBe('one')
    await writeFile(files.cert, 'broken')
    await expect.poll(() => errors.length).toBeGreaterThan(0)
    expect(await certificateOf(server.url)).toBe('one')
    await take('two')
    await expect.poll(() => certificateOf(server.url)).toBe('two')
  } finally {
    await server.close()
  }
})

test('a pair that cannot be used is told before anything listens', async () => {
  const [one, two] = ['one', 'two'].map((name) => ({ cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) }))
  await expect(readTls({ cert: one!.cert, key: two!.key })).rejects.toThrow('belong together')
  await expect(readTls({ cert: join(folder, 'nothing.pem'), key: one!.key })).rejects.toThrow('cannot be read')
})
