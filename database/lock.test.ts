import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withFileLock } from './lock.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'))
  file = join(folder, 'lock')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('only one holder works at a time, also within one process', async () => {
  let inside = 0
  const seen: number[] = []
  await Promise.all(
    Array.from({ length: 8 }, () =>
      withFileLock(file, async () => {
        seen.push(++inside)
        await sleep(5)
        inside--
      }),
    ),
  )
  expect(seen).toEqual(Array.from({ length: 8 }, () => 1))
})

test('the lock is free again after the work has failed', async () => {
  await expect(withFileLock(file, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await withFileLock(file, () => Promise.resolve('free'))).toBe('free')
})

test('a holder that is killed with kill -9 releases the lock, and holds it until then', async () => {
  const script = `import { withFileLock } from ${JSON.stringify(new URL('lock.ts', import.meta.url).href)}
    await withFileLock(${JSON.stringify(file)}, () => new Promise(() => { console.log('held'); setInterval(() => {}, 1000) }))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  await once(child.stdout, 'data')
  let got = false
  const waiting = withFileLock(file, async () => void (got = true))
  await sleep(200)
  expect(got).toBe(false)
  child.kill('SIGKILL')
  await exit
  await waiting
  expect(got).toBe(true)
})

test('a place where no lock file can be made is an error, not a wait', async () => {
  await expect(withFileLock(join(folder, 'absent', 'lock'), () => Promise.resolve())).rejects.toThrow('unable to open')
})
