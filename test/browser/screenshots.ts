/**
 * Takes the pictures of the documentation from a running program, so that they show what a user sees:
 *
 *   npx trailjoin up --demo            (in another terminal; prints the address with the token)
 *   node test/browser/screenshots.ts 'http://127.0.0.1:8417/#token=…' [agent's name]
 */
import { join } from 'node:path'
import { launchChromium } from './chromium.ts'

const [address, agent = 'Weather Agent'] = process.argv.slice(2)
if (!address?.includes('#token=')) {
  console.error("Usage: node test/browser/screenshots.ts 'http://127.0.0.1:8417/#token=…' [agent's name]")
  process.exit(2)
}
const folder = join(import.meta.dirname, '../../docs/images')
const browser = await launchChromium()
for (const colorScheme of ['light', 'dark'] as const) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme })
  await page.goto(address)
  await page.getByRole('button', { name: new RegExp(`^${agent}`) }).click()
  await page
    .locator('.rows .row')
    .filter({ hasText: /LLM invoked/ })
    .first()
    .click()
  await page.getByText('✓ checked in this browser').waitFor()
  await page.mouse.move(0, 0)
  await page.screenshot({ path: join(folder, `timeline-${colorScheme}.png`) })
  await page.close()
}
await browser.close()
