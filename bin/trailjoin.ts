#!/usr/bin/env node
import module from 'node:module'
import { join } from 'node:path'

// Checked before anything else is loaded: an older Node would fail on the first import with a message that helps nobody.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    `trailjoin needs Node 24, this is ${process.versions.node}. \`npm ci\` brings it along: start it with \`npx trailjoin\` or an npm script.\n` +
      'If that is what you did, npm did not run the install script of the package "node": run `npm rebuild node`.\n',
  )
  process.exit(1)
}
// Keeps the stripped and compiled code of the last start: halves the start-up time. Inside the checkout, because a folder under /tmp could be
// prepared by another user. Where it cannot be written, nothing is kept.
module.enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'trailjoin'))
const { main } = await import('../cli/main.ts')
await main()
