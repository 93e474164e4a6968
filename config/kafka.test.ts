import { describe, expect, test } from 'vitest'
import { readConfig } from '../config.ts'

const BROKERS = { KAFKA_BROKERS: 'kafka.example.com:9093' }
const refusal = (environment: Record<string, string>): string => {
  try {
    readConfig(environment)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('was accepted')
}

describe('the settings of Kafka', () => {
  test('are in clear without TLS and SASL; a file of certificates switches TLS on', () => {
    expect(readConfig(BROKERS).kafka).toMatchObject({ tls: null, sasl: null })
    expect(readConfig({ ...BROKERS, KAFKA_TLS: 'true' }).kafka?.tls).toEqual({})
    expect(readConfig({ ...BROKERS, KAFKA_TLS_CA_FILE: '/ca.pem' }).kafka?.tls).toEqual({ caFile: '/ca.pem' })
  })

  test('keep the password behind a reference', () => {
    const environment = { ...BROKERS, KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'hunter2' }
    const { kafka } = readConfig(environment)
    expect(kafka?.sasl).toEqual({ mechanism: 'scram-sha-512', username: 'u', password: { env: 'KAFKA_SASL_PASSWORD' } })
    expect(JSON.stringify(kafka)).not.toContain('hunter2')
  })

  test('are not looked at without brokers: other programs have variables of these names', () => {
    expect(readConfig({ KAFKA_TLS: 'yes', KAFKA_SASL_MECHANISM: 'GSSAPI' }).kafka).toBeUndefined()
  })

  test.each([
    [{ ...BROKERS, KAFKA_TLS: 'yes' }, /^KAFKA_TLS is neither true nor false/],
    [{ ...BROKERS, KAFKA_TLS: 'false', KAFKA_TLS_CA_FILE: 'x' }, /^KAFKA_TLS_CA_FILE is set, and KAFKA_TLS is false/],
    [{ ...BROKERS, KAFKA_TLS_CERT_FILE: 'x' }, /^KAFKA_TLS_KEY_FILE is missing/],
    [{ ...BROKERS, KAFKA_TLS_KEY_FILE: 'x' }, /^KAFKA_TLS_CERT_FILE is missing/],
    [{ ...BROKERS, KAFKA_SASL_USERNAME: 'u' }, /^KAFKA_SASL_MECHANISM is missing, and KAFKA_SASL_USERNAME is set: write one of plain, scram/],
    [{ ...BROKERS, KAFKA_SASL_MECHANISM: 'gssapi' }, /^KAFKA_SASL_MECHANISM is none of plain, scram-sha-256, scram-sha-512, oauthbearer/],
    [{ ...BROKERS, KAFKA_SASL_MECHANISM: 'scram-sha-256' }, /^KAFKA_SASL_USERNAME is missing[^]*\nKAFKA_SASL_PASSWORD_FILE is missing/],
    [{ ...BROKERS, KAFKA_SASL_MECHANISM: 'oauthbearer' }, /^KAFKA_SASL_TOKEN_FILE is missing/],
    [
      { ...BROKERS, KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'hunter2' },
      /password would travel in clear. Set KAFKA_TLS=true/,
    ],
    [
      { ...BROKERS, KAFKA_SASL_MECHANISM: 'scram-sha-256', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'hunter2', KAFKA_SASL_PASSWORD_FILE: 'f' },
      /^KAFKA_SASL_PASSWORD_FILE is set beside/,
    ],
  ])('%j is refused, says what to do, and repeats no secret', (environment, words) => {
    const message = refusal(environment)
    expect(message).toMatch(words)
    expect(message).not.toContain('hunter2')
  })

  test('allow a password in clear to this machine, and SCRAM, which sends none', () => {
    const plain = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' }
    expect(readConfig({ KAFKA_BROKERS: '127.0.0.1:9092,localhost:9093', ...plain }).kafka?.sasl?.mechanism).toBe('plain')
    expect(readConfig({ ...BROKERS, ...plain, KAFKA_SASL_MECHANISM: 'scram-sha-256' }).kafka?.sasl?.mechanism).toBe('scram-sha-256')
  })
})
