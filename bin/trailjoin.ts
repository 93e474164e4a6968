#!/usr/bin/env node
// Checked before anything else is loaded: an older Node would fail on the first import with a message that helps nobody.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    `trailjoin needs Node 24, this is ${process.versions.node}. \`npm ci\` brings it along: start it with \`npx trailjoin\` or an npm script.\n` +
      'If that is what you did, npm did not run the install script of the package "node": run `npm rebuild node`.\n',
  )
  process.exit(1)
}
const { main } = await import('../cli/main.ts')
await main()
