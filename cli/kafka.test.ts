import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readConfig } from '../config.ts'
import { kafkaClientSettings } from './kafka.ts'

const BROKERS = { KAFKA_BROKERS: 'kafka.example.com:9093' }

describe('a client of Kafka', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trailjoin-config-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))
  const settings = (environment: Record<string, string>) => kafkaClientSettings(readConfig({ ...BROKERS, ...environment }).kafka!, environment)

  test('gets certificates and password from files, without the line break at the end', async () => {
    await writeFile(join(folder, 'ca.pem'), '-----BEGIN CERTIFICATE-----\n')
    await writeFile(join(folder, 'password'), 'hunter2\n')
    const made = await settings({
      KAFKA_TLS_CA_FILE: join(folder, 'ca.pem'),
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'u',
      KAFKA_SASL_PASSWORD_FILE: join(folder, 'password'),
    })
    expect(made).toEqual({
      brokers: ['kafka.example.com:9093'],
      ssl: { ca: '-----BEGIN CERTIFICATE-----\n' },
      sasl: { mechanism: 'plain', username: 'u', password: 'hunter2' },
    })
  })

  test('gets a token from its file each time', async () => {
    const file = join(folder, 'token')
    await writeFile(file, 'first')
    const { sasl } = await settings({ KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'oauthbearer', KAFKA_SASL_TOKEN_FILE: file })
    const provide = (sasl as { oauthBearerProvider: () => Promise<{ value: string }> }).oauthBearerProvider
    expect(await provide()).toEqual({ value: 'first' })
    await writeFile(file, 'second')
    expect(await provide()).toEqual({ value: 'second' })
  })

  test('is not made from a file that is absent or no PEM', async () => {
    await expect(settings({ KAFKA_TLS_CA_FILE: join(folder, 'none') })).rejects.toThrow(/^KAFKA_TLS_CA_FILE cannot be read: ENOENT/)
    await writeFile(join(folder, 'der'), Buffer.from([0x30, 0x82]))
    await expect(settings({ KAFKA_TLS_CA_FILE: join(folder, 'der') })).rejects.toThrow(/^KAFKA_TLS_CA_FILE: .* is no PEM file/)
  })
})
