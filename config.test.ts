import { expect, test } from 'vitest'
import { ConfigError, readConfig } from './config.ts'

test('an empty environment gives the defaults, and an empty value counts as absent', () => {
  const defaults = { databaseUrl: undefined, dataDir: undefined, port: 8417, logLevel: 'warn', noColor: false, debug: false }
  expect(readConfig({})).toEqual(defaults)
  expect(readConfig({ DATABASE_URL: '', TRAILJOIN_PORT: '', NO_COLOR: '' })).toEqual(defaults)
})

test('every faulty variable is named at once, and no value is repeated', () => {
  const read = () => readConfig({ DATABASE_URL: 'mysql://u:hunter2@h/d', TRAILJOIN_PORT: '99999', LOG_LEVEL: 'loud' })
  expect(read).toThrow(ConfigError)
  expect(read).toThrow(/DATABASE_URL [^]*TRAILJOIN_PORT [^]*LOG_LEVEL /)
  expect(read).not.toThrow('hunter2')
})
