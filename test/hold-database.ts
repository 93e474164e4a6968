/**
 * A process that uses an embedded database, for tests: opens the folder given as the first argument, prints one JSON line, and leaves
 * when its input ends. With a second argument it becomes that user first (when the tests run as root). The server has the product's
 * own settings: a test of what survives needs them.
 */
import { startEmbedded } from '#database/embedded.ts'

const [folder = '', uid] = process.argv.slice(2)
if (uid !== undefined) process.setuid?.(Number(uid))
try {
  const server = await startEmbedded(folder)
  console.log(JSON.stringify({ url: server.url, attached: server.attached }))
  for await (const _ of process.stdin);
  await server.stop()
} catch (error) {
  console.log(JSON.stringify({ code: (error as { code?: unknown }).code, message: (error as Error).message }))
  process.exitCode = 1
}
