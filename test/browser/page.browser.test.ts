import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { buildPage, type BuiltPage } from './built-page.ts'
import { launchChromium } from './chromium.ts'
import { ROLELESS, ADDRESS, startFixtureServer, TOKEN, type FixtureServer } from './fixture-server.ts'
import { AGENTS, BUSY, EVENTS, HOSTILE, HUGE, QUIET, SHARED } from './fixtures.ts'

// A machine without a Chromium has to say so itself; nothing is left out in silence.
describe.runIf(process.env['TRAILJOIN_SKIP_BROWSER'] !== '1')('the page in Chromium', () => {
  let browser: Browser
  let server: FixtureServer
  let built: BuiltPage
  const pages: Page[] = []
  let complaints: string[] = []

  beforeAll(async () => {
    built = await buildPage()
    server = await startFixtureServer(built.folder)
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await built?.remove()
  })
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close()
    const seen = complaints
    complaints = []
    expect(seen).toEqual([])
  })

  /** Opens the page; every console error, uncaught error, CSP violation and request to elsewhere fails the test. `expected` names the statuses that a test provokes. */
  async function open(
    path: string,
    options: BrowserContextOptions & { readonly token?: string | null; readonly expected?: readonly number[] } = {},
  ): Promise<Page> {
    const { token = TOKEN, expected = [], ...context } = options
    const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, ...context })).newPage()
    pages.push(page)
    page.on('console', (message) => {
      if (message.type() === 'error' && !expected.some((status) => message.text().includes(String(status)))) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url)) complaints.push(`request to ${request.url()}`)
    })
    await page.goto(`${server.url}/${path}${token ? `#token=${token}` : ''}`)
    return page
  }
  const rows = (page: Page) => page.locator('.rows .row')
  const count = (page: Page) => page.locator('.count')
  const details = (page: Page) => page.getByRole('complementary', { name: 'Event details' })
  /** Pixels of the canvas that are neither transparent nor grey: marks, as opposed to lanes, grid and text. */
  const colouredPixels = (page: Page): Promise<number> =>
    page.evaluate(`(() => {
      const canvas = document.querySelector('.lanes-canvas')
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
      let count = 0
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 0 && Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]) > 60) count++
      return count
    })()`)

  test('the agents are listed with topology and counts, and picking one shows its timeline', async () => {
    const page = await open('')
    const agent = page.getByRole('button', { name: /Weather Agent/ })
    await agent.waitFor()
    expect(await agent.innerText()).toContain('Option 2')
    expect(await agent.innerText()).toContain('Weather Blueprint')
    await agent.click()
    await page.getByRole('heading', { name: 'Weather Agent' }).waitFor()
    expect(page.url()).toContain(`?oid=${BUSY}`)
    await count(page).getByText('3,000 events').waitFor()
  })

  test('live shows what is concluded meanwhile, and goes on where it was when the connection breaks', async () => {
    const page = await open(`?oid=${BUSY}`)
    await count(page).getByText('3,000 events').waitFor()
    const live = page.getByRole('button', { name: 'Live' })
    expect(await live.getAttribute('aria-pressed')).toBe('false')
    await live.click()
    // One came and one went; after the break, one more came.
    await count(page).getByText('3,001 events').waitFor({ timeout: 20_000 })
    expect(await live.getAttribute('aria-pressed')).toBe('true')
    expect(await rows(page).first().innerText()).toContain('<img')
    await live.click()
    expect(await live.getAttribute('aria-pressed')).toBe('false')
    await count(page).getByText('3,000 events').waitFor()
  })

  test('an oid is found by pasting it in any surroundings, and nonsense is answered with what it looks like', async () => {
    const page = await open('')
    const input = page.getByRole('combobox')
    await input.fill('not an oid')
    await input.press('Enter')
    await page.getByText('No record in the store bears it. It looks like: record id').waitFor()
    await input.fill(`oid=${SHARED.toUpperCase()},`)
    await input.press('Enter')
    await page.getByRole('heading', { name: 'Travel Planner' }).waitFor()
  })

  test('any other identifier is looked up, and leads to whom it belongs', async () => {
    const page = await open('')
    const input = page.getByRole('combobox')
    await input.fill(ADDRESS)
    await input.press('Enter')
    await page.getByText('It leads to several: choose one.').waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: AGENTS[0]!.name! }).waitFor()
  })

  test('suggestions are reached with the keyboard alone', async () => {
    const page = await open('')
    await page.getByRole('button', { name: /Weather Agent/ }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('travel')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Travel Planner' }).waitFor()
  })

  test('three thousand events: lanes are drawn, only the rows in sight exist, scrolling reaches the last one', async () => {
    const page = await open(`?oid=${BUSY}`)
    await count(page).getByText('3,000 events').waitFor()
    expect(Number(await page.locator('.lanes').getAttribute('data-groups'))).toBeGreaterThan(50)
    expect(await colouredPixels(page)).toBeGreaterThan(2000)
    expect(await page.locator('.lanes-canvas').getAttribute('aria-label')).toMatch(/entra events?, .*aws events?, .*gcp events?, .*app event/)
    expect(await rows(page).count()).toBeLessThan(80)
    await rows(page).first().focus()
    await page.keyboard.press('End')
    const oldest = EVENTS.get(BUSY)!.at(-1)!.item
    await page.locator('.row[data-index="2999"]').getByText(oldest.time.slice(0, 23).replace('T', ' ')).waitFor()
  })

  test('zooming and panning stay quick with three thousand events', async () => {
    // Side by side with the same page of a single event, because a busy machine is slow with either.
    const few = await open(`?oid=${BUSY}&kind=trust.changed`)
    await count(few).getByText('1 event').waitFor()
    const page = await open(`?oid=${BUSY}`)
    await count(page).getByText('3,000 events').waitFor()
    const ratios: number[] = []
    for (let turn = 0; turn < 3; turn++) ratios.push((await millisecondsAFrame(page)) / Math.max(16, await millisecondsAFrame(few)))
    expect(Math.min(...ratios)).toBeLessThan(6)
    await page.locator('.lanes-canvas').focus()
    await page.keyboard.press('+')
    await count(page).getByText('in view').waitFor()
    await page.keyboard.press('0')
    await count(page).getByText('3,000 events').waitFor()
  })

  test('clicking a mark on the lanes opens that event', async () => {
    const page = await open(`?oid=${BUSY}&kind=trust.changed`)
    await count(page).getByText('1 event').waitFor()
    const box = (await page.locator('.lanes-canvas').boundingBox())!
    // The only event stands in the middle of the period, on the third lane.
    const y = (await page.evaluate(`(() => {
      const canvas = document.querySelector('.lanes-canvas')
      const x = Math.round((172 + (canvas.clientWidth - 172) / 2) * devicePixelRatio)
      const { data } = canvas.getContext('2d').getImageData(x - 6, 26, 12, canvas.height - 26)
      const hits = []
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && data[i] < 150) hits.push(26 + Math.floor(i / 4 / 12))
      return hits.reduce((sum, hit) => sum + hit, 0) / hits.length / devicePixelRatio
    })()`)) as number
    await page.mouse.click(box.x + 172 + (box.width - 172) / 2, box.y + y)
    await details(page).getByText('A trust was changed').waitFor()
  })

  test('an event’s details: a sentence, attribution in words, evidence that opens, the raw record with a checked hash and its masked values', async () => {
    const page = await open(`?oid=${BUSY}&kind=token.exchanged&source=aws&outcome=success`)
    await rows(page).first().click()
    const panel = details(page)
    await panel.getByText('Weather Agent exchanged an Entra token for AWS credentials.').waitFor()
    await panel.getByText('The platform itself put this agent’s identifier on the record').waitFor()
    await panel.getByText('✓ checked in this browser').waitFor()
    expect(await panel.locator('pre').innerText()).toContain('"eventName": "AssumeRoleWithWebIdentity"')
    expect(await panel.locator('pre mark').allInnerTexts()).toEqual(['"***"'])
    await panel.getByText('/responseElements/credentials/sessionToken').waitFor()
    const before = page.url()
    // The sign-in is not among the filtered events: it is named all the same.
    await panel.locator('.evidence').getByText('Entra · Token issued').waitFor()
    await panel.locator('.evidence button').first().click()
    await panel.getByText('Entra issued a token to Weather Agent.').waitFor()
    await page.goBack()
    expect(page.url()).toBe(before)
    await panel.getByText('exchanged an Entra token').waitFor()
    await page.keyboard.press('Escape')
    expect(await panel.isHidden()).toBe(true)
  })

  test('an ambiguous event names all candidates and chooses none', async () => {
    const page = await open(`?oid=${SHARED}&kind=llm.invoked`)
    await rows(page).first().click()
    const panel = details(page)
    await panel.getByText('It was one of these 3 agents. The records cannot tell which:').waitFor()
    expect(await panel.locator('.candidates li').count()).toBe(3)
    expect(await panel.getByText('the selected agent is one of the candidates').isVisible()).toBe(true)
    expect(await rows(page).first().innerText()).toContain('one of 3 agents')
  })

  test('hostile text in a record is shown and never becomes markup', async () => {
    const page = await open(`?oid=${BUSY}&text=${encodeURIComponent('onerror')}`)
    await rows(page).first().click()
    await details(page).getByText('✓ checked in this browser').waitFor()
    expect(await details(page).innerText()).toContain(HOSTILE)
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.evaluate('window.pwned')).toBeUndefined()
    await page.goto(`${server.url}/?oid=${QUIET}`)
    await page.getByRole('heading', { name: 'Quiet <img' }).waitFor()
    expect(await page.evaluate('window.pwned')).toBeUndefined()
  })

  test('filters stand in the address and survive a reload', async () => {
    const page = await open(`?oid=${BUSY}`)
    await count(page).getByText('3,000 events').waitFor()
    await page.getByRole('button', { name: 'Filters' }).click()
    await page.getByRole('button', { name: 'GCP', exact: true }).click()
    await page.getByRole('button', { name: 'Failure', exact: true }).click()
    const expected = EVENTS.get(BUSY)!.filter(({ item }) => item.source === 'gcp' && item.outcome === 'failure').length
    await count(page).getByText(`${expected} events`).waitFor()
    expect(new URL(page.url()).search).toBe(`?oid=${BUSY}&source=gcp&outcome=failure`)
    await page.reload()
    await count(page).getByText(`${expected} events`).waitFor()
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await count(page).getByText('3,000 events').waitFor()
  })

  test('typing in the text filter keeps the keyboard where it is and fills no history', async () => {
    const page = await open(`?oid=${BUSY}`)
    await count(page).getByText('3,000 events').waitFor()
    const before = (await page.evaluate('history.length')) as number
    await page.getByLabel('Text', { exact: true }).focus()
    await page.keyboard.type('s3:')
    await count(page).getByText('1 event').waitFor()
    await page.keyboard.press('Backspace')
    await page.keyboard.type(':GetObject')
    await page.waitForURL(/text=s3:GetObject/)
    await count(page).getByText('1 event').waitFor()
    expect(await page.evaluate('history.length')).toBe(before)
  })

  test('more than five thousand events: the newest are shown and the page says so', async () => {
    const page = await open(`?oid=${HUGE}`)
    await page.getByText(/Showing the newest 5,000 of 6,2\d\d events\. Narrow the period/).waitFor()
    expect(await count(page).innerText()).toContain('5,000')
  })

  test('light and dark follow the system, and the reader’s own choice wins and stays', async () => {
    const background = (page: Page): Promise<unknown> => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const light = await open(`?oid=${BUSY}`, { colorScheme: 'light' })
    const dark = await open(`?oid=${BUSY}`, { colorScheme: 'dark' })
    expect(await background(light)).toBe('rgb(244, 245, 247)')
    expect(await background(dark)).toBe('rgb(15, 18, 22)')
    await count(dark).getByText('3,000 events').waitFor()
    expect(await colouredPixels(dark)).toBeGreaterThan(2000)
    await light.getByRole('button', { name: 'Switch to dark colours' }).click()
    expect(await background(light)).toBe('rgb(15, 18, 22)')
    await light.reload()
    expect(await background(light)).toBe('rgb(15, 18, 22)')
  })

  test('a phone’s width has no sideways scrolling', async () => {
    const page = await open(`?oid=${BUSY}`, { viewport: { width: 390, height: 844 } })
    await count(page).getByText('3,000 events').waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
    await rows(page).first().click()
    await details(page).getByText('✓ checked in this browser').waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390)
  })

  test('the token leaves the address at once, and a missing or wrong one is asked for', async () => {
    const page = await open(`?oid=${BUSY}`)
    await count(page).getByText('3,000 events').waitFor()
    expect(page.url()).toBe(`${server.url}/?oid=${BUSY}`)
    const stranger = await open(`?oid=${BUSY}`, { token: 'wrong', expected: [401] })
    await stranger.getByText('The server refused the token at hand. The token is not the one of this server.').waitFor()
    await stranger.getByLabel('Access token').fill(`${server.url}/#token=${TOKEN}`)
    await stranger.getByRole('button', { name: 'Open' }).click()
    await count(stranger).getByText('3,000 events').waitFor()
    const newcomer = await open('', { token: null })
    await newcomer.getByRole('heading', { name: 'Access token' }).waitFor()
  })

  test('a token that may not ask is told so in the words of the server, and another can be used', async () => {
    const page = await open('', { token: ROLELESS, expected: [403] })
    await page.getByText('it has none of the roles that may ask this').waitFor()
    await page.getByRole('button', { name: 'Use another token' }).click()
    await page.getByLabel('Access token').fill(`Bearer ${TOKEN}`)
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByText('Weather Agent').first().waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Access token' }).waitFor()
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
  })

  test('an oid without events and an unknown oid are told apart', async () => {
    const quiet = await open(`?oid=${QUIET}`)
    await quiet.getByText('Silence is not absence').waitFor()
    const unknown = await open('?oid=00000000-1111-4111-8111-000000000000', { expected: [404] })
    await unknown.getByText('No record names').waitFor()
  })

  test('a server that is gone is said to be gone', async () => {
    const page = await open('')
    await page.getByRole('button', { name: /Weather Agent/ }).waitFor()
    await page.route('**/v1/**', (route) => route.abort())
    page.removeAllListeners('console')
    await page.getByRole('button', { name: /Weather Agent/ }).click()
    await page.getByText('The server does not answer.').waitFor()
  })
})

async function millisecondsAFrame(page: Page): Promise<number> {
  await page.bringToFront()
  await page.locator('.lanes-canvas').focus()
  return await page.evaluate(`(async () => {
    const canvas = document.querySelector('.lanes-canvas')
    const frame = () => new Promise(requestAnimationFrame)
    await frame()
    const started = performance.now()
    for (let i = 0; i < 40; i++) {
      canvas.dispatchEvent(new KeyboardEvent('keydown', { key: i % 4 === 0 ? '+' : i % 4 === 1 ? 'ArrowLeft' : i % 4 === 2 ? 'ArrowRight' : '-', bubbles: true }))
      await frame()
    }
    return (performance.now() - started) / 40
  })()`)
}
