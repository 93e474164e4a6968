import { chmod, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { defaultDataDir, firstClosedFolder, prepareDataDir } from './folders.ts'

vi.mock('node:os', { spy: true })

/** No user has this number: stands for the server's user when the program runs as root. */
const STRANGER = { uid: 4_000_000, gid: 4_000_000 }
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folders-'))
  await chmod(folder, 0o755)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

test('a folder that the user of the server cannot reach is a clear error that says what to do', async () => {
  const closed = join(folder, 'home')
  await mkdir(closed, { mode: 0o700 })
  await expect(prepareDataDir(join(closed, 'a', 'b'), STRANGER)).rejects.toMatchObject({
    code: 'DATA_DIR_UNUSABLE',
    message: expect.stringContaining(`may not enter ${closed}. Choose another folder with --data-dir`),
  })
})

test('the topmost closed folder is named, and an open way has none', async () => {
  await mkdir(join(folder, 'outer', 'inner'), { recursive: true })
  expect(await firstClosedFolder(join(folder, 'outer', 'inner'), STRANGER)).toBeNull()
  await chmod(join(folder, 'outer', 'inner'), 0o700)
  await chmod(join(folder, 'outer'), 0o700)
  expect(await firstClosedFolder(join(folder, 'outer', 'inner'), STRANGER)).toBe(join(folder, 'outer'))
  expect(await firstClosedFolder(join(folder, 'outer', 'inner'), { uid: process.getuid!(), gid: process.getgid!() })).toBeNull()
})

test('the prepared folder is given by its real path', async () => {
  await mkdir(join(folder, 'real'))
  await symlink(join(folder, 'real'), join(folder, 'link'))
  expect(await prepareDataDir(join(folder, 'link'), {})).toBe(await prepareDataDir(join(folder, 'real'), {}))
})

test('a place where no folder can be made is a clear error', async () => {
  await expect(prepareDataDir('/proc/trailjoin/data', {})).rejects.toMatchObject({
    code: 'DATA_DIR_UNUSABLE',
    message: 'cannot use /proc/trailjoin/data as data folder: it cannot be created',
  })
})

test('TRAILJOIN_DATA_DIR decides where the data is', () => {
  vi.stubEnv('TRAILJOIN_DATA_DIR', 'some/where')
  expect(defaultDataDir()).toBe(resolve('some/where'))
})

test("without it the data is in the user's data folder, for root where the server's user can go", () => {
  vi.stubEnv('TRAILJOIN_DATA_DIR', '')
  vi.stubEnv('XDG_DATA_HOME', '')
  expect(defaultDataDir()).toBe(process.getuid!() === 0 ? '/var/lib/trailjoin' : join(homedir(), '.local/share/trailjoin'))
})

test('a user without a name, as in a container under any number, has a data folder, too', () => {
  vi.mocked(userInfo).mockImplementation(() => {
    throw new Error('A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)')
  })
  vi.stubEnv('TRAILJOIN_DATA_DIR', '')
  expect(defaultDataDir()).toMatch(/trailjoin$/)
})
