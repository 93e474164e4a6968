import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const PATHS = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/**
 * Starts an installed Chromium with an empty profile that talks to nobody on its own.
 * @throws with what to do when there is none
 */
export async function launchChromium(): Promise<Browser> {
  const executablePath = PATHS.find((path) => path && existsSync(path))
  if (!executablePath)
    throw new Error(
      'The page is tested in a real Chromium and none was found. Install it (Debian: apt-get install chromium), name it in CHROMIUM, or leave these tests out with TRAILJOIN_SKIP_BROWSER=1.',
    )
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
