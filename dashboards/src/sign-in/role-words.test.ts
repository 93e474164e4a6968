import { expect, test } from 'vitest'
import { missingRole } from './role-words.ts'

test('somebody without a role is told which would do, and not to ask for more than they need', () => {
  expect(missingRole('ada@example.com', ['reader', 'responder', 'admin'])).toContain(
    'signed in as ada@example.com, but your account may not see this: it needs one of the roles reader or responder in trailjoin',
  )
  expect(missingRole(null, ['responder', 'admin'])).toContain('You are signed in, but your account may not see this: it needs the role responder')
  expect(missingRole(null, ['admin'])).toContain('the role admin')
})
