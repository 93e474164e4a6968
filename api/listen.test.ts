import express from 'express'
import { expect, test } from 'vitest'
import { listen } from './listen.ts'

test.each(['0.0.0.0', '192.0.2.1', '::', 'trailjoin.example'])('listening on %s is refused with the reason', async (host) => {
  await expect(listen(express(), { host, port: 0 })).rejects.toThrow('a local token is not enough')
})

test('a port that is taken gives a message that says what to do', async () => {
  const first = await listen(express(), { host: '127.0.0.1', port: 0 })
  await expect(listen(express(), { host: '127.0.0.1', port: Number(new URL(first.url).port) })).rejects.toThrow('--port')
  await first.close()
})
