import { expect, test } from 'vitest'
import { ConfigError, readConfig } from './config.ts'

test('an empty environment gives the defaults, and an empty value counts as absent', () => {
  const defaults = {
    databaseUrl: undefined,
    dataDir: undefined,
    kafka: undefined,
    port: 8417,
    configFile: undefined,
    logLevel: 'warn',
    noColor: false,
    debug: false,
  }
  expect(readConfig({})).toEqual(defaults)
  expect(readConfig({ DATABASE_URL: '', TRAILJOIN_PORT: '', NO_COLOR: '' })).toEqual(defaults)
})

test('every faulty variable is named at once, and no value is repeated', () => {
  const read = () => readConfig({ DATABASE_URL: 'mysql://u:hunter2@h/d', TRAILJOIN_PORT: '99999', LOG_LEVEL: 'loud', KAFKA_BROKERS: 'here' })
  expect(read).toThrow(ConfigError)
  expect(read).toThrow(/DATABASE_URL [^]*TRAILJOIN_PORT [^]*LOG_LEVEL [^]*KAFKA_BROKERS /)
  expect(read).not.toThrow('hunter2')
})

test('Kafka brokers are a list of addresses, and anything else is told', () => {
  expect(readConfig({ KAFKA_BROKERS: 'a:9092, b.example.com:9093,[::1]:9094' }).kafka?.brokers).toEqual(['a:9092', 'b.example.com:9093', '[::1]:9094'])
  for (const wrong of ['a', 'a:', 'user:secret@a:9092', 'http://a:9092', 'a:9092,'])
    expect(() => readConfig({ KAFKA_BROKERS: wrong }), wrong).toThrow('KAFKA_BROKERS is no list')
})
