/**
 * Takes the pictures of the documentation from the product as it runs, so that they show what a user sees. From a running program:
 *
 *   npx trailjoin up --demo            (in another terminal; prints the address with the token)
 *   node test/browser/screenshots.ts 'http://127.0.0.1:8417/#token=…' [agent's name]
 *
 * Without an address: those of signing in, from a product with a provider of its own.
 */
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { buildPage } from './built-page.ts'
import { launchChromium } from './chromium.ts'
import { startSignedInProduct } from './signed-in-product.ts'

const FOLDER = join(import.meta.dirname, '../../docs/images')

/** The timeline with one event open, light and dark. */
async function takeTimeline(browser: Browser, address: string, agent: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme })
    await page.goto(address)
    await page.getByRole('button', { name: new RegExp(`^${agent}`) }).click()
    await openModelCall(page)
    await page.screenshot({ path: join(FOLDER, `timeline-${colorScheme}.png`) })
    await page.close()
  }
}

async function openModelCall(page: Page): Promise<void> {
  const call = page.locator('.rows .row').filter({ hasText: /LLM invoked/ })
  await call.first().click()
  await page.getByText('✓ checked in this browser').waitFor()
  await page.mouse.move(0, 0)
}

/** Before signing in, afterwards, and without a role. */
async function takeSignIn(browser: Browser): Promise<void> {
  const built = await buildPage()
  const product = await startSignedInProduct(built.folder, { 'ada.lovelace': ['trailjoin.responder'], 'new.colleague': [] })
  const take = async (name: string, who: string | null, then: (page: Page) => Promise<void>): Promise<void> => {
    const context = await browser.newContext({ viewport: { width: 1100, height: 620 }, colorScheme: 'light' })
    const page = await context.newPage()
    await page.goto(product.url)
    const button = page.getByRole('button', { name: 'Sign in with your account' })
    await button.waitFor()
    if (who !== null) {
      await button.click()
      await page.getByPlaceholder('Enter any login').fill(who)
      await page.getByPlaceholder('and password').fill('anything')
      await page.getByRole('button', { name: 'Sign-in' }).click()
    }
    await then(page)
    await page.screenshot({ path: join(FOLDER, `${name}.png`) })
    await context.close()
  }
  try {
    await take('sign-in', null, async () => undefined)
    await take('signed-in', 'ada.lovelace', (page) => page.getByRole('button', { name: /Weather Agent/ }).waitFor())
    await take('no-role', 'new.colleague', (page) => page.getByText('your account may not see this').waitFor())
  } finally {
    await product.close()
    await built.remove()
  }
}

const [address, agent = 'Weather Agent'] = process.argv.slice(2)
if (address !== undefined && !address.includes('#token=')) {
  console.error("Usage: node test/browser/screenshots.ts ['http://127.0.0.1:8417/#token=…' [agent's name]]")
  process.exit(2)
}
const browser = await launchChromium()
await (address === undefined ? takeSignIn(browser) : takeTimeline(browser, address, agent))
await browser.close()
