/**
 * The program on a bad day, with the real parts: a disk that is full, PostgreSQL killed or stopped by a signal under an import and under `up`, locks of programs that hang, folders that are
 * somebody else's. Each ends with a sentence that a stranger understands and the right exit code, nothing that was stored is lost, and the same command run again completes the work.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statfsSync } from 'node:fs'
import { chmod, chown, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { processesIn } from '#database/processes.ts'
import { writeWorld } from '../simulate/write.ts'
import { testDataDir } from './postgres.ts'
import { startProgram } from './program.ts'
import type { Ended, StartedProgram } from './program.ts'

let shared: string
let records: string
/** The canonical export of an import that nothing disturbed. */
let straight: string
let folder: string
let store: string

beforeAll(async () => {
  shared = await testDataDir()
  await writeWorld(join(shared, 'world'), { seed: 7, agents: 6, days: 40, events: 7_000, rollMinutes: 1440 })
  records = join(shared, 'world', 'records')
  const data = join(shared, 'straight')
  expect((await run(['import', records], data)).code).toBe(0)
  straight = await exported(data)
}, 180_000)
afterAll(() => rm(shared, { recursive: true, force: true }))

beforeEach(async () => {
  folder = await testDataDir()
  store = join(folder, 'store')
})
afterEach(async () => {
  for (const pid of (await processesIn(join(store, 'postgres'))) ?? []) signal(pid, 'SIGKILL')
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

function start(args: readonly string[], dataDir = store, env: Readonly<Record<string, string>> = {}): StartedProgram {
  const started = startProgram([...args, '--data-dir', dataDir], shared, env)
  started.child.stdin.end()
  return started
}
const run = (args: readonly string[], dataDir = store, env: Readonly<Record<string, string>> = {}): Promise<Ended> => start(args, dataDir, env).ended

async function exported(dataDir: string): Promise<string> {
  const { code, stdout, stderr } = await run(['export'], dataDir)
  expect({ code, stderr: stderr.replaceAll(/^The disk is getting full.*\n/gm, '') }).toEqual({ code: 0, stderr: '' })
  return stdout
}

/** What a stranger sees: no stack trace, the exit code, and a sentence. */
function expectSentence({ code, stderr }: Ended, wanted: number, sentence: RegExp): void {
  expect(stderr).not.toMatch(/\n\s+at /)
  expect(stderr).toMatch(sentence)
  expect(code).toBe(wanted)
}

/** The same command again completes the import, and the store is as if nothing had happened. */
async function expectCompletes(dataDir = store): Promise<void> {
  const again = await run(['import', records, '--json'], dataDir)
  expect(again.code, again.stderr).toBe(0)
  expect(await exported(dataDir)).toBe(straight)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}

const serverPid = async (dataDir = store): Promise<number> => Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0])

/** The server's address, from what it notes beside its files. */
async function serverUrl(): Promise<string> {
  const port = (await readFile(join(store, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[3]!
  return `postgresql://trailjoin:${(await readFile(join(store, 'password'), 'utf8')).trim()}@127.0.0.1:${port}/trailjoin`
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: await serverUrl(), application_name: 'somebody else' })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** Waits until an import is in the middle of storing. */
async function untilStoring(): Promise<void> {
  await expect.poll(() => existsSync(join(store, 'postgres', 'postmaster.pid')), { timeout: 60_000 }).toBe(true)
  let client: pg.Client | null = null
  await expect
    .poll(
      async () => {
        client ??= await connect().catch(() => null)
        const answer = await client?.query<{ events: number }>('select count(*)::integer as events from events').catch(() => null)
        return answer?.rows[0]?.events ?? 0
      },
      { timeout: 60_000, interval: 20 },
    )
    .toBeGreaterThan(0)
  await (client as pg.Client | null)?.end()
}

/** Runs a program of the system. */
const system = (program: string, args: readonly string[]): void => void execFileSync(program, args, { stdio: 'ignore' })

/** A small disk of its own, where the system lets us have one. */
const mounts = process.getuid?.() === 0 && canMount()
function canMount(): boolean {
  try {
    system('unshare', ['--mount', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/mnt'])
    return true
  } catch {
    return false
  }
}

async function withDisk(megabytes: number, work: (disk: string) => Promise<void>): Promise<void> {
  const disk = join(folder, 'disk')
  await mkdir(disk)
  system('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', disk])
  try {
    await work(disk)
  } finally {
    for (const pid of (await processesIn(join(disk, 'store', 'postgres'))) ?? []) signal(pid, 'SIGKILL')
    system('umount', ['--lazy', disk])
  }
}

describe.skipIf(!mounts)('a full disk', () => {
  test('an import ends before the disk is full, reading goes on, and with more room the same command completes it', async () => {
    await withDisk(300, async (disk) => {
      const data = join(disk, 'store')
      expect((await run(['migrate'], data)).code).toBe(0)
      // One batch fits, and no second one: something else has taken the room.
      const { bavail, bsize } = statfsSync(disk)
      await writeFile(join(disk, 'other'), Buffer.alloc(bavail * bsize - 130 * 1024 * 1024))
      const ended = await run(['import', records], data)
      expectSentence(
        ended,
        1,
        /the disk is nearly full: only \d+ MB free on the disk of .*store, storing needs at least 128 MB\. What was stored stays\. Make room/,
      )
      expect(await processesIn(join(data, 'postgres'))).toEqual([])
      const reading = await run(['agents'], data)
      expect(reading.code, reading.stderr).toBe(0)
      expect(reading.stderr).toContain('The disk is getting full')
      expectSentence(await run(['import', records], data), 1, /the disk is nearly full/)
      await rm(join(disk, 'other'))
      await expectCompletes(data)
    })
  })

  test('a disk that somebody else fills up to the last byte in the middle of an import: the server is stopped all the same, and nothing is lost', async () => {
    await withDisk(450, async (disk) => {
      const data = join(disk, 'store')
      expect((await run(['import', join(import.meta.dirname, 'fixtures', 'samples', 'aws', 'keyless-kingdom.ndjson')], data)).code).toBe(0)
      const importing = start(['import', records], data)
      const filler = spawn('sh', [
        '-c',
        `while kill -0 ${importing.child.pid} 2>/dev/null; do dd if=/dev/zero of=${disk}/other-$(date +%N) bs=1M 2>/dev/null; done`,
      ])
      const ended = await importing.ended
      await once(filler, 'exit')
      expectSentence(ended, 1, /the disk is (?:nearly )?full/)
      expect(await processesIn(join(data, 'postgres'))).toEqual([])
      // Not even a start is possible now, and that is said.
      const reading = await run(['agents'], data)
      if (reading.code !== 0) expectSentence(reading, 1, /the disk is (?:nearly )?full/)
      for (const name of await readdir(disk)) if (name.startsWith('other-')) await rm(join(disk, name))
      const again = await run(['import', records, '--json'], data)
      expect(again.code, again.stderr).toBe(0)
      const whole = await exported(data)
      const compared = join(folder, 'compared')
      expect((await run(['import', join(import.meta.dirname, 'fixtures', 'samples', 'aws', 'keyless-kingdom.ndjson'), records], compared)).code).toBe(0)
      expect(whole).toBe(await exported(compared))
    })
  })

  test('a new store is refused where it would not fit, and nothing is left of the attempt', async () => {
    await withDisk(150, async (disk) => {
      const ended = await run(['import', records], join(disk, 'store'))
      expectSentence(
        ended,
        1,
        /the disk is nearly full: only \d+ MB free .* a new store needs at least 208 MB\. Make room, or choose another folder with --data-dir/,
      )
      expect(await readdir(disk)).toEqual([])
    })
  })
})

describe('PostgreSQL that is killed', () => {
  test('its first process, in the middle of an import: named as that, and the same command completes the import', async () => {
    const importing = start(['import', records])
    await untilStoring()
    signal(await serverPid(), 'SIGKILL')
    expectSentence(
      await importing.ended,
      1,
      /PostgreSQL on .*store ended unexpectedly: its first process was killed \(kill -9, or the system ran out of memory\)\. What was stored stays, .* run the same command once more/,
    )
    await expectCompletes()
  })

  test('one of its connections, in the middle of an import', async () => {
    const importing = start(['import', records])
    await untilStoring()
    const client = await connect()
    // Two at once: one may be idle at this moment.
    const { rows } = await client.query<{ pid: number }>(`select pid from pg_stat_activity where application_name = 'trailjoin'`)
    for (const { pid } of rows) signal(pid, 'SIGKILL')
    expectSentence(await importing.ended, 1, /PostgreSQL on .*store ended unexpectedly: its client backend \d+ was killed/)
    await expectCompletes()
  })

  test('stopped by an administrator in the middle of an import', async () => {
    const importing = start(['import', records])
    await untilStoring()
    signal(await serverPid(), 'SIGINT')
    expectSentence(await importing.ended, 1, /PostgreSQL on .*store ended unexpectedly: somebody stopped it \(fast shutdown\)/)
    await expectCompletes()
  })

  test('under `up`: it is started again at the same place, says so, and goes on answering', async () => {
    const up = start(['up', '--port', '0'])
    await expect.poll(up.stdoutSoFar, { timeout: 60_000 }).toContain('Ctrl-C stops it.')
    const [, url, token] = /(http:\S+)\/#token=(\S+)/.exec(up.stdoutSoFar())!
    const asked = async (): Promise<number> => (await fetch(`${url}/v1/agents`, { headers: { authorization: `Bearer ${token}` } })).status
    expect(await asked()).toBe(200)
    const before = await serverPid()
    signal(before, 'SIGKILL')
    await expect
      .poll(up.stderrSoFar, { timeout: 60_000 })
      .toMatch(/PostgreSQL on .*store ended unexpectedly: its first process was killed .* It is started again\.[^]*runs again/)
    expect(await asked()).toBe(200)
    expect(await serverPid()).not.toBe(before)
    expect((await run(['import', records])).code).toBe(0)
    up.child.kill('SIGTERM')
    expect((await up.ended).code).toBe(0)
    expect(await processesIn(join(store, 'postgres'))).toEqual([])
    expect(await exported(store)).toBe(straight)
  })
})

describe('PostgreSQL that hangs', () => {
  test('all of it stopped by a signal in the middle of an import: says what it waits for, gives up after the stated time, and the next command works', async () => {
    const importing = start(['import', records], store, { TRAILJOIN_WAIT_SECONDS: '4' })
    await untilStoring()
    const first = await serverPid()
    for (const pid of [first, ...((await processesIn(join(store, 'postgres'))) ?? [])]) signal(pid, 'SIGSTOP')
    const ended = await importing.ended
    expectSentence(ended, 1, /gave up after 4 seconds of waiting for PostgreSQL: a signal \(SIGSTOP\) has stopped its process(?:es)? \d+/)
    expect(ended.stderr).toMatch(/Waiting for PostgreSQL: a signal .* \(\d+ seconds? so far, 4 at most\)/)
    expect(await processesIn(join(store, 'postgres'))).toEqual([])
    await expectCompletes()
  })

  test('before a command begins: the same', async () => {
    expect((await run(['import', join(import.meta.dirname, 'fixtures', 'samples', 'aws', 'keyless-kingdom.ndjson')])).code).toBe(0)
    const up = start(['up', '--port', '0'], store, { TRAILJOIN_WAIT_SECONDS: '3600' })
    await expect.poll(up.stdoutSoFar, { timeout: 60_000 }).toContain('Ctrl-C stops it.')
    const first = await serverPid()
    signal(first, 'SIGSTOP')
    const ended = await run(['agents'], store, { TRAILJOIN_WAIT_SECONDS: '3' })
    expectSentence(
      ended,
      1,
      new RegExp(
        `gave up after 3 seconds of waiting for PostgreSQL on .*store \\(process ${first}\\): it runs and does not answer; stopped by a signal: process ${first}`,
      ),
    )
    signal(first, 'SIGCONT')
    expect((await run(['agents'])).code).toBe(0)
    up.child.kill('SIGTERM')
    expect((await up.ended).code).toBe(0)
  })
})

describe('a lock that somebody holds who does nothing', () => {
  beforeEach(async () => {
    expect((await run(['import', join(import.meta.dirname, 'fixtures', 'samples', 'aws', 'keyless-kingdom.ndjson')])).code).toBe(0)
  })

  test.each([
    [
      'an advisory lock of the store',
      'select pg_advisory_lock(7241001)',
      /gave up after 5 seconds of waiting for a lock of the store: the database session \d+ \(somebody else\) holds it and does nothing/,
    ],
    [
      'a table',
      'begin; lock table events',
      /gave up after 5 seconds of waiting for a lock on a table of the store: the database session \d+ \(somebody else\) holds it and does nothing/,
    ],
  ])('%s: says whom it waits for, and gives up', async (_what, statement, sentence) => {
    const up = start(['up', '--port', '0'])
    await expect.poll(up.stdoutSoFar, { timeout: 60_000 }).toContain('Ctrl-C stops it.')
    const holder = await connect()
    await holder.query(statement)
    const ended = await run(['import', records], store, { TRAILJOIN_WAIT_SECONDS: '5' })
    expectSentence(ended, 1, sentence)
    expect(ended.stderr).toMatch(/Waiting for a lock .* \(\d+ seconds? so far, 5 at most\)/)
    await holder.end()
    expect((await run(['import', records])).code).toBe(0)
    up.child.kill('SIGTERM')
    expect((await up.ended).code).toBe(0)
  })

  test('the lock of the data folder', async () => {
    const script = `import { DatabaseSync } from 'node:sqlite'
      const lock = new DatabaseSync(${JSON.stringify(join(store, 'lock'))}); lock.exec('begin exclusive'); console.log('held'); setInterval(() => {}, 1000)`
    await writeFile(join(store, 'lock.holder'), `${process.pid}\n`)
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(holder.stdout, 'data')
    const ended = await run(['agents'], store, { TRAILJOIN_WAIT_SECONDS: '3' })
    expectSentence(
      ended,
      1,
      new RegExp(`gave up after 3 seconds of waiting for the lock .*store/lock: process ${process.pid} is starting or stopping the database of this folder`),
    )
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    expect((await run(['agents'])).code).toBe(0)
  })
})

describe('a data folder that cannot be used', () => {
  test('by a reading command that names one that is not there, or that is no store: told, and nothing is made', async () => {
    const other = join(folder, 'other')
    await mkdir(other)
    const oid = 'a0000000-0000-4000-8000-000000000001'
    for (const args of [
      ['agents'],
      ['timeline', oid],
      ['traces'],
      ['findings'],
      ['resolve', 'bob'],
      ['explain', oid],
      ['export'],
      ['report', 'llm-usage'],
      ['report', 'run', '--config', 'reports.yaml'],
      ['what-if'],
      ['rejected'],
      ['unmapped'],
      ['access-log'],
      ['tokens', 'list'],
      ['tokens', 'revoke', 'x'],
      ['bundle', oid, '--output', join(folder, 'b.zip')],
      ['sigma', 'run', join(import.meta.dirname, '..', 'detections')],
    ]) {
      await writeFile(join(shared, 'reports.yaml'), `reports:\n  - {name: monthly, every: month, format: csv, folder: ${folder}}\n`)
      for (const dir of [store, other])
        expectSentence(await run(args, dir), 1, new RegExp(`there is no store in ${dir}.*trailjoin import PATH --data-dir ${dir}`))
    }
    expect((await readdir(folder)).toSorted()).toEqual(['other'])
    expect(await readdir(other)).toEqual([])
    const doctor = await run(['doctor'])
    expect(doctor.stdout).toContain(`there is no store in ${store}`)
    expect(await readdir(folder)).toEqual(['other'])
  })

  test.skipIf(process.getuid?.() !== 0)('because its database belongs to somebody else: told before anything is written there', async () => {
    await mkdir(join(store, 'postgres'), { recursive: true })
    await writeFile(join(store, 'postgres', 'PG_VERSION'), '18\n')
    await chown(join(store, 'postgres'), 4242, 4242)
    expectSentence(
      await run(['agents']),
      1,
      /cannot use .*store as data folder: the database in it belongs to user number 4242, and root's PostgreSQL runs as the user "postgres"/,
    )
    expect(await readdir(store)).toEqual(['postgres'])
  })

  test('because another version of PostgreSQL made it', async () => {
    expect((await run(['migrate'])).code).toBe(0)
    await writeFile(join(store, 'postgres', 'PG_VERSION'), '15\n')
    expectSentence(await run(['agents']), 1, /was made by PostgreSQL 15, this release brings 18: choose a new folder/)
  })

  test.skipIf(!mounts)('because its file system is read-only', async () => {
    await withDisk(300, async (disk) => {
      expect((await run(['migrate'], join(disk, 'store'))).code).toBe(0)
      system('mount', ['-o', 'remount,ro', disk])
      expectSentence(await run(['agents'], join(disk, 'store')), 1, /cannot use .* as data folder: the file system is read-only/)
    })
  })
})

describe('an import that is told to stop', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s: says that what was stored stays, ends with %i, and is completed by the same command', async (name, code) => {
    const importing = start(['import', records])
    await untilStoring()
    importing.child.kill(name)
    expectSentence(await importing.ended, code, /Stopped\. What was stored stays; the same command run again goes on from there\./)
    expect(await processesIn(join(store, 'postgres'))).toEqual([])
    await expectCompletes()
  })
})

test('a reader that goes away early (`| head`) is no error', async () => {
  const command = `${process.execPath} ${join(import.meta.dirname, '..', 'bin', 'trailjoin.ts')} export --data-dir ${join(shared, 'straight')} | head -n 1 > /dev/null; echo "code \${PIPESTATUS[0]}"`
  const child = spawn('bash', ['-c', command], { env: { PATH: process.env['PATH'], HOME: shared } })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()))
  await once(child, 'close')
  expect(said).toBe('code 0\n')
})

test('a port in use is said, with what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  expectSentence(await run(['up', '--port', String(port)]), 1, new RegExp(`Port ${port} is taken by another program: choose one with --port`))
  expect(await processesIn(join(store, 'postgres'))).toEqual([])
  server.close()
})

test.skipIf(process.getuid?.() === 0)('a folder that may not be entered is said', async () => {
  await mkdir(store, { mode: 0o000 })
  expectSentence(await run(['agents']), 1, /cannot use .*store as data folder: no permission/)
  await chmod(store, 0o755)
})
