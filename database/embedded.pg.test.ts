import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startEmbedded } from './embedded.ts'
import { openDatabase } from './open.ts'
import { testDataDir, TEST_SETTINGS } from '../test/postgres.ts'

const HOLD = fileURLToPath(new URL('../test/hold-database.ts', import.meta.url))
const IS_ROOT = process.getuid?.() === 0
const NOBODY = '65534'

interface Holder {
  readonly process: ChildProcess
  readonly said: { readonly url: string; readonly attached: boolean; readonly code?: string; readonly message?: string }
  leave(): Promise<void>
}

let dataDir: string
let holders: Holder[]

beforeEach(async () => {
  dataDir = await testDataDir()
  holders = []
})

afterEach(async () => {
  await Promise.all(holders.map((holder) => holder.leave()))
  // Takes over whatever a test left running, and stops it.
  if (await postmaster()) await (await startEmbedded(dataDir)).stop()
  await rm(dataDir, { recursive: true, force: true })
})

/** Another process that uses the folder. */
async function hold(folder = dataDir, uid?: string): Promise<Holder> {
  const child = spawn(process.execPath, [HOLD, folder, ...(uid === undefined ? [] : [uid])], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const leave = async (): Promise<void> => {
    child.stdin?.end()
    await exit
  }
  const holder = { process: child, said: JSON.parse(line) as Holder['said'], leave }
  holders.push(holder)
  return holder
}

/** Process id of the server that the folder says is running, or null. */
async function postmaster(): Promise<number | null> {
  const text = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => null)
  return text === null ? null : Number(text.split('\n')[0])
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  while (await stat(`/proc/${pid}/cwd`).catch(() => null)) await sleep(10)
}

test('data survives a stop, and the server is down after it', async () => {
  const first = await startEmbedded(dataDir, { settings: TEST_SETTINGS })
  await query(first.url, 'create table kept as select 42 as answer')
  await first.stop()
  expect(await postmaster()).toBeNull()
  await expect(query(first.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  const second = await startEmbedded(dataDir, { settings: TEST_SETTINGS })
  expect(second.attached).toBe(false)
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }])
  await second.stop()
})

test('the server answers on loopback only, wants the password, and the password file is private', async () => {
  const server = await startEmbedded(dataDir, { settings: TEST_SETTINGS })
  expect(await query(server.url, `select current_setting('listen_addresses') as at, current_setting('unix_socket_directories') as sockets`)).toEqual([
    { at: '127.0.0.1', sockets: '' },
  ])
  await expect(query(server.url.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toMatchObject({ code: '28P01' })
  expect((await stat(join(dataDir, 'password'))).mode & 0o777).toBe(0o600)
  await server.stop()
})

test('a second process attaches, and the server runs until the last of them leaves, whoever came first', async () => {
  const [first, second] = [await hold(), await hold()]
  expect([first.said.attached, second.said.attached]).toEqual([false, true])
  expect(second.said.url).toBe(first.said.url)
  await first.leave()
  expect(await query(second.said.url, 'select 1 as one')).toEqual([{ one: 1 }])
  await second.leave()
  expect(await postmaster()).toBeNull()
})

test('two users in one process count as two', async () => {
  const [first, second] = await Promise.all([startEmbedded(dataDir, { settings: TEST_SETTINGS }), startEmbedded(dataDir, { settings: TEST_SETTINGS })])
  await first.stop()
  await first.stop()
  expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
  await second.stop()
  expect(await postmaster()).toBeNull()
})

test('five processes that start on an empty folder at once share one server', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => hold()))
  expect(new Set(all.map((holder) => holder.said.url)).size).toBe(1)
  expect(all.filter((holder) => holder.said.attached)).toHaveLength(4)
})

test('a folder is the same folder through a symbolic link', async () => {
  const link = join(dataDir, 'link')
  await mkdir(join(dataDir, 'real'))
  await symlink(join(dataDir, 'real'), link)
  const [direct, linked] = [await hold(join(dataDir, 'real')), await hold(link)]
  expect(linked.said).toEqual({ url: direct.said.url, attached: true })
})

test('a folder name with blanks, quotes and dollar signs is only a name', async () => {
  const odd = join(dataDir, `o"d'd $(touch x) \`y\``)
  const server = await startEmbedded(odd, { settings: TEST_SETTINGS })
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
  await server.stop()
  await expect(stat(join(odd, 'postgres', 'x'))).rejects.toThrow('ENOENT')
})

test('after kill -9 of the program the next one takes its running server over, and stops it in the end', async () => {
  const victim = await hold()
  await query(victim.said.url, 'create table kept as select 42 as answer')
  await kill(victim.process.pid!)
  const next = await hold()
  expect(next.said).toEqual({ url: victim.said.url, attached: true })
  expect(await query(next.said.url, 'select answer from kept')).toEqual([{ answer: 42 }])
  await next.leave()
  expect(await postmaster()).toBeNull()
})

test('after kill -9 of program and server, in the middle of writing, what was committed is there', async () => {
  const victim = await hold()
  await query(victim.said.url, 'create table numbers (number integer primary key)')
  const client = new pg.Client({ connectionString: victim.said.url })
  client.on('error', () => undefined)
  await client.connect()
  let committed = 0
  const writing = (async () => {
    for (;;) {
      await client.query('insert into numbers select generate_series($1::integer, $1 + 99)', [committed])
      committed += 100
    }
  })().catch(() => undefined)
  await sleep(500)
  await kill(victim.process.pid!)
  await kill((await postmaster())!)
  await writing
  const next = await startEmbedded(dataDir, { settings: TEST_SETTINGS })
  expect(next.attached).toBe(false)
  const [{ count, last }] = (await query(next.url, 'select count(*)::integer as count, max(number) as last from numbers')) as [{ count: number; last: number }]
  expect(committed).toBeGreaterThan(0)
  // The last insert may have been committed without its answer getting through.
  expect([committed, committed + 100]).toContain(count)
  expect(last).toBe(count - 1)
  await next.stop()
})

test('a server killed while two processes use it is started again by the next one, and a stale pid file of a living stranger does not matter', async () => {
  const [first, second] = [await hold(), await hold()]
  await kill((await postmaster())!)
  // As if the number had been given to another process, and the port to nobody.
  const file = join(dataDir, 'postgres', 'postmaster.pid')
  const lines = (await readFile(file, 'utf8')).split('\n')
  await writeFile(file, [process.pid, ...lines.slice(1)].join('\n'))
  const third = await hold()
  expect(third.said.attached).toBe(false)
  await Promise.all([first.leave(), second.leave()])
  expect(await query(third.said.url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('a start that was killed during initdb is begun anew', async () => {
  await mkdir(join(dataDir, 'postgres.new', 'base'), { recursive: true })
  await writeFile(join(dataDir, 'postgres.new', 'PG_VERSION'), '18\n')
  await writeFile(join(dataDir, 'password'), 'of the killed start\n')
  const server = await startEmbedded(dataDir, { settings: TEST_SETTINGS })
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
  await server.stop()
})

test('a file in the place of the folder, or above it, is a clear error', async () => {
  const file = join(dataDir, 'file')
  await writeFile(file, 'x')
  for (const path of [file, join(file, 'below')]) {
    await expect(startEmbedded(path)).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
      message: `cannot use ${path} as data folder: something else is in its place`,
    })
  }
})

test('a folder that may not be written is a clear error', async () => {
  const closed = join(dataDir, 'closed')
  await mkdir(closed, { mode: 0o555 })
  for (const path of [closed, join(closed, 'below')]) {
    const { said } = await hold(path, IS_ROOT ? NOBODY : undefined)
    expect(said).toEqual({ code: 'DATA_DIR_UNUSABLE', message: `cannot use ${path} as data folder: no permission to write there` })
  }
})

test('a cluster of another PostgreSQL version is a clear error and stays untouched', async () => {
  await (await startEmbedded(dataDir, { settings: TEST_SETTINGS })).stop()
  await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '15\n')
  await expect(startEmbedded(dataDir)).rejects.toMatchObject({
    code: 'DATA_DIR_VERSION',
    message: expect.stringContaining('was made by PostgreSQL 15, this release brings 18'),
  })
  expect(await readFile(join(dataDir, 'postgres', 'PG_VERSION'), 'utf8')).toBe('15\n')
})

test('a lost password file and a damaged cluster are clear errors that name what is wrong', async () => {
  await (await startEmbedded(dataDir, { settings: TEST_SETTINGS })).stop()
  const control = join(dataDir, 'postgres', 'global', 'pg_control')
  await rm(control)
  await expect(startEmbedded(dataDir)).rejects.toMatchObject({ code: 'START_FAILED', message: expect.stringContaining('pg_control') })
  await rm(join(dataDir, 'password'))
  await expect(startEmbedded(dataDir)).rejects.toMatchObject({
    code: 'DATA_DIR_UNUSABLE',
    message: `cannot read the database password in ${join(dataDir, 'password')}: it is gone`,
  })
})

test('the log of the server holds no values of failed statements', async () => {
  const server = await startEmbedded(dataDir, { settings: TEST_SETTINGS })
  await query(server.url, 'create table once (value text primary key)')
  await query(server.url, `insert into once values ('secret-value')`)
  await expect(query(server.url, `insert into once values ('secret-value')`)).rejects.toMatchObject({ code: '23505' })
  await server.stop()
  const log = await readFile(join(dataDir, 'postgres', 'server.log'), 'utf8')
  expect(log).toContain('duplicate key value')
  expect(log).not.toContain('secret-value')
})

test('openDatabase gives a migrated embedded store, and close leaves nothing running', async () => {
  const database = await openDatabase({ dataDir })
  expect(database.embedded).toBe(true)
  expect((await database.pool.query('select 9007199254740993::int8 as big, array[1, null]::int8[] as bigs, now() as now')).rows).toEqual([
    { big: 9007199254740993n, bigs: [1n, null], now: expect.any(Date) },
  ])
  expect((await database.pool.query('select from events')).rowCount).toBe(0)
  await database.close()
  await database.close()
  expect(await postmaster()).toBeNull()
})
