import { userInfo } from 'node:os'
import { expect, test, vi } from 'vitest'
import { whoever } from './whoever.ts'

vi.mock('node:os', { spy: true })

test('whoever asks is who the operating system says', () => {
  expect(whoever()).toEqual({ id: `cli:${userInfo().username}`, name: userInfo().username })
})

test('a user without a name, as in a container under any number, is that number', () => {
  vi.mocked(userInfo).mockImplementationOnce(() => {
    throw Object.assign(new Error('A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)'), { code: 'ERR_SYSTEM_ERROR' })
  })
  expect(whoever()).toEqual({ id: `cli:uid ${process.getuid!()}`, name: `uid ${process.getuid!()}` })
})
