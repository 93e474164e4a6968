import { expect, test } from 'vitest'
import { azureCredential, credentialOf } from './credential.ts'

test('a token by reference is read anew when it is asked for again, so that a rotated file counts', async () => {
  let value = 'first'
  const credential = credentialOf(azureCredential.parse({ token: { file: '/run/token' } }), 'public', { secret: async () => value })
  expect((await credential.getToken('scope'))?.token).toBe('first')
  value = 'second'
  const again = await credential.getToken('scope')
  expect(again?.token).toBe('second')
  // The SDK keeps it no longer than this.
  expect(again!.expiresOnTimestamp - Date.now()).toBeLessThanOrEqual(60_000)
})

test('a client secret is read when a token is asked for, not before, and its absence is told', async () => {
  const id = '77777777-0000-4000-8000-000000000001'
  let reads = 0
  const credential = credentialOf(azureCredential.parse({ tenantId: id, clientId: id, clientSecret: { env: 'AZURE' } }), 'usgov', {
    secret: async () => {
      reads++
      throw new Error('the environment variable AZURE is not set')
    },
  })
  expect(reads).toBe(0)
  await expect(credential.getToken('scope')).rejects.toThrow('AZURE is not set')
})

test('a secret in the configuration itself is refused, and the refusal does not repeat it', () => {
  const result = azureCredential.safeParse({ token: 'eyJ.plain' })
  expect(result.success).toBe(false)
  expect(JSON.stringify(result.error?.issues)).toContain('references to secrets')
  expect(JSON.stringify(result.error?.issues)).not.toContain('eyJ.plain')
})
