/** People sign in with their organisation's account: page, API and database as they are, a certified provider, a real browser. */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { buildPage, type BuiltPage } from './built-page.ts'
import { launchChromium } from './chromium.ts'
import { AUDIENCE } from './identity-provider.ts'
import { AGENT, startSignedInProduct, type SignedInProduct } from './signed-in-product.ts'

const VIEW = `?oid=${AGENT}&kind=llm.invoked&outcome=success`

describe.runIf(process.env['TRAILJOIN_SKIP_BROWSER'] !== '1')('signing in to the page', () => {
  let built: BuiltPage
  let product: SignedInProduct
  let browser: Browser
  const contexts: BrowserContext[] = []
  let complaints: string[] = []

  beforeAll(async () => {
    built = await buildPage()
    product = await startSignedInProduct(built.folder, { ada: ['trailjoin.responder'], rita: ['trailjoin.reader'], eve: [] })
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await product?.close()
    await built?.remove()
  })
  afterEach(async () => {
    Object.assign(product.provider.behaviour, { refreshTokens: true, audience: AUDIENCE, lifetimeSeconds: 3600 })
    for (const context of contexts.splice(0)) await context.close()
    const seen = complaints
    complaints = []
    expect(seen).toEqual([])
  })

  /** A browser of its own; errors in its console (violations of the CSP among them) fail the test, but for the statuses that a test provokes. */
  async function open(path: string, expected: readonly number[] = []): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    contexts.push(context)
    const page = await context.newPage()
    page.on('console', (message) => {
      const ours = message.location().url.startsWith(product.url) || message.location().url === ''
      if (ours && message.type() === 'error' && !expected.some((status) => message.text().includes(String(status)))) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    await page.goto(`${product.url}/${path}`)
    return page
  }
  const signInButton = (page: Page) => page.getByRole('button', { name: 'Sign in with your account' })
  const atProvider = (page: Page) => page.waitForURL((url) => url.origin === product.provider.issuer)
  async function giveName(page: Page, name: string): Promise<void> {
    await atProvider(page)
    await page.getByPlaceholder('Enter any login').fill(name)
    await page.getByPlaceholder('and password').fill('anything')
    await page.getByRole('button', { name: 'Sign-in' }).click()
  }
  async function signIn(page: Page, name = 'ada'): Promise<void> {
    await signInButton(page).click()
    await giveName(page, name)
    await page.waitForURL((url) => url.origin === product.url)
  }
  const rows = (page: Page) => page.locator('.rows .row')
  const newest = (): string | undefined => product.shown().at(-1)
  /** What the provider's token endpoint was asked for from now on. */
  function grantsOf(page: Page): string[] {
    const grants: string[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url() === `${product.provider.issuer}/token`)
        grants.push(new URLSearchParams(request.postData() ?? '').get('grant_type') ?? '')
    })
    return grants
  }
  /** Everything of the page that outlives a document. */
  const kept = async (page: Page): Promise<string> =>
    (await page.evaluate(
      `JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, navigation.entries().map((entry) => entry.url)])`,
    )) as string

  test('who is not signed in goes to the provider, comes back to the address they asked for, and leaves no token behind', async () => {
    const page = await open(VIEW)
    const asked: string[] = []
    page.on('request', (request) => {
      if (request.url().startsWith(product.url)) asked.push(request.url())
    })
    await signInButton(page).waitFor()
    await signIn(page)
    await page.getByRole('heading', { name: 'Weather Agent' }).waitFor()
    await rows(page).first().waitFor()
    expect(page.url()).toBe(`${product.url}/${VIEW}`)
    expect(await page.locator('.who').innerText()).toBe('ada@example.com')
    // A responder may see raw records, too.
    await rows(page).first().click()
    await page.getByText('✓ checked in this browser').waitFor()

    const token = newest()!
    expect(token.split('.')).toHaveLength(3)
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
    expect(claims).toMatchObject({ iss: product.provider.issuer, aud: AUDIENCE, sub: 'ada', roles: ['trailjoin.responder'] })
    const left = await kept(page)
    expect(left).toContain(product.provider.issuer)
    for (const secret of [token, token.split('.')[2]!, 'code=', 'state=', 'eyJ']) {
      expect(left, secret).not.toContain(secret)
      expect(product.log(), secret).not.toContain(secret)
      for (const url of asked) expect(url, secret).not.toContain(secret)
    }
    expect(product.log()).toContain(`oidc:${product.provider.issuer}#ada`)
  })

  test('a page that is loaded again, or opened beside, asks nobody while the session at the provider lasts', async () => {
    const page = await open(VIEW)
    await signIn(page)
    await rows(page).first().waitFor()
    await page.reload()
    await rows(page).first().waitFor()
    expect(page.url()).toBe(`${product.url}/${VIEW}`)
    const beside = await page.context().newPage()
    await beside.goto(`${product.url}/?oid=${AGENT}`)
    await rows(beside).first().waitFor()
    // The session at the provider ends: then the page asks, and the address stays.
    await page.context().clearCookies()
    await page.reload()
    await signInButton(page).waitFor()
    expect(page.url()).toBe(`${product.url}/${VIEW}`)
    await signIn(page)
    await rows(page).first().waitFor()
  })

  test('a token that expires is renewed without a word, and once for all requests that need it', async () => {
    const page = await open(`?oid=${AGENT}`, [401])
    await signIn(page)
    await rows(page).first().waitFor()
    const grants = grantsOf(page)
    const before = newest()
    product.expire(before)
    await rows(page).first().click()
    await page.getByText('✓ checked in this browser').waitFor()
    await page.getByRole('button', { name: /Rail Agent/ }).click()
    await page.getByRole('heading', { name: 'Rail Agent' }).waitFor()
    await rows(page).first().waitFor()
    expect(newest()).not.toBe(before)
    expect(grants).toEqual(['refresh_token'])
  })

  test('a token is renewed before it ends', async () => {
    product.provider.behaviour.lifetimeSeconds = 5
    const page = await open(`?oid=${AGENT}`)
    await signIn(page)
    await rows(page).first().waitFor()
    const grants = grantsOf(page)
    const before = newest()
    await page.waitForTimeout(5000)
    await rows(page).first().click()
    await page.getByText('✓ checked in this browser').waitFor()
    expect(grants.length).toBeGreaterThan(0)
    expect(new Set(grants)).toEqual(new Set(['refresh_token']))
    expect(newest()).not.toBe(before)
  })

  test('a refusal that passes by does not cost the refresh token: it is tried again', async () => {
    // Short: renewed in its last second, and taken by the API for half a minute more.
    product.provider.behaviour.lifetimeSeconds = 5
    const page = await open(`?oid=${AGENT}`)
    await signIn(page)
    await rows(page).first().waitFor()
    const grants = grantsOf(page)
    await page.route(
      `${product.provider.issuer}/token`,
      (route) => route.fulfill({ status: 429, json: { error: 'temporarily_unavailable' }, headers: { 'access-control-allow-origin': product.url } }),
      { times: 1 },
    )
    await page.waitForTimeout(4500)
    const before = newest()
    await rows(page).first().click()
    await page.getByText('✓ checked in this browser').waitFor()
    expect([grants, newest()]).toEqual([['refresh_token'], before])
    await page.waitForTimeout(10_500)
    await rows(page).nth(1).click()
    await page.getByText('✓ checked in this browser').waitFor()
    expect(new Set(grants)).toEqual(new Set(['refresh_token']))
    expect(grants.length).toBeGreaterThan(1)
    expect(newest()).not.toBe(before)
  })

  test.each([
    { refreshTokens: true, how: 'with the renewed token' },
    { refreshTokens: false, how: 'after a way to the provider and back' },
  ])('the live timeline goes on $how', async ({ refreshTokens }) => {
    product.provider.behaviour.refreshTokens = refreshTokens
    const page = await open(`?oid=${AGENT}&source=app`, [401])
    await signIn(page)
    await rows(page).first().waitFor()
    const streams: string[] = []
    page.on('request', (request) => {
      if (request.url().includes('/stream')) streams.push(request.headers()['authorization'] ?? '')
    })
    const live = page.getByRole('button', { name: 'Live' })
    await live.click()
    await page.locator('.live[data-state="on"]').waitFor()
    const [before, after] = [`before-${refreshTokens}`, `after-${refreshTokens}`]
    await product.newEvent(before)
    await rows(page).first().getByText(before).waitFor()
    product.expire(newest())
    // Noticed within the heartbeat of the stream.
    await expect.poll(() => new Set(streams).size, { timeout: 40_000 }).toBe(2)
    await page.locator('.live[data-state="on"]').waitFor()
    await product.newEvent(after)
    await rows(page).first().getByText(after).waitFor()
    expect(await live.getAttribute('aria-pressed')).toBe('true')
  })

  test('without a refresh token an expired one leads to the provider and back to the same place', async () => {
    product.provider.behaviour.refreshTokens = false
    const page = await open(VIEW, [401])
    await signIn(page)
    await rows(page).first().waitFor()
    const grants = grantsOf(page)
    product.expire(newest())
    await rows(page).nth(1).click()
    await page.getByText('✓ checked in this browser').waitFor()
    expect(grants).toEqual(['authorization_code'])
    expect(page.url()).toMatch(`${product.url}/${VIEW}&event=`)
    // And when the provider wants to see the person: the page says so, and keeps the place.
    const place = page.url()
    await page.context().clearCookies()
    product.expire(newest())
    await rows(page).nth(2).click()
    await signInButton(page).waitFor()
    expect(page.url()).not.toBe(place)
    const wanted = page.url()
    await signIn(page)
    await page.getByText('✓ checked in this browser').waitFor()
    expect(page.url()).toBe(wanted)
  })

  test('several tabs whose tokens expire at once all come back to where they were', async () => {
    product.provider.behaviour.refreshTokens = false
    const page = await open(VIEW, [401])
    await signIn(page)
    await rows(page).first().waitFor()
    const tabs = [page, await page.context().newPage(), await page.context().newPage()]
    for (const tab of tabs.slice(1)) {
      await tab.goto(`${product.url}/${VIEW}`)
      await rows(tab).first().waitFor()
    }
    for (const token of product.shown()) product.expire(token)
    await Promise.all(tabs.map((tab) => rows(tab).nth(1).click()))
    for (const tab of tabs) await tab.getByText('✓ checked in this browser').waitFor()
  })

  test('who met an error on the way to the provider is not sent there again by themselves', async () => {
    const page = await open(VIEW)
    await signIn(page)
    await rows(page).first().waitFor()
    await page.route(`${product.provider.issuer}/auth?**`, (route) => route.fulfill({ status: 500, body: 'out of order' }))
    await page.reload()
    await page.getByText('out of order').waitFor()
    await page.goto(`${product.url}/${VIEW}`)
    await signInButton(page).waitFor()
    await page.unroute(`${product.provider.issuer}/auth?**`)
    await signInButton(page).click()
    await rows(page).first().waitFor()
  })

  test('a provider that answers in the query alone is understood, too, and its code stays in no address', async () => {
    const page = await open(VIEW)
    await page.route(`${product.provider.issuer}/.well-known/openid-configuration`, async (route) => {
      const response = await route.fetch()
      const { response_modes_supported: _modes, ...rest } = (await response.json()) as Record<string, unknown>
      await route.fulfill({ response, json: rest })
    })
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    await signIn(page)
    await rows(page).first().waitFor()
    expect(page.url()).toBe(`${product.url}/${VIEW}`)
    expect(asked.filter((url) => url.startsWith(`${product.url}/?code=`))).toHaveLength(1)
    expect(await kept(page)).not.toContain('code=')
    expect(product.log()).not.toContain('code=')
  })

  test('a provider that does not answer is said not to', async () => {
    const page = await open(VIEW, [503])
    await page.route(`${product.provider.issuer}/.well-known/openid-configuration`, (route) => route.abort())
    page.removeAllListeners('console')
    await signInButton(page).click()
    await page.getByText(/does not answer, or does not let this page ask/).waitFor()
    await page.unroute(`${product.provider.issuer}/.well-known/openid-configuration`)
    await signIn(page)
    await rows(page).first().waitFor()
  })

  test('several ways to sign in are told apart, also two tenants of one provider', async () => {
    const page = await open('')
    const way = (issuer: string) => ({ issuer, clientId: 'page', scope: 'openid' })
    await page.route(`${product.url}/sign-in`, (route) =>
      route.fulfill({ json: { ways: ['https://login.example/one/v2.0', 'https://login.example/two/v2.0', 'https://sso.example'].map(way) } }),
    )
    await page.reload()
    for (const place of ['login.example/one/v2.0', 'login.example/two/v2.0', 'sso.example'])
      await page.getByRole('button', { name: `Sign in at ${place}`, exact: true }).waitFor()
  })

  test('who has no role is told which is missing in plain words, and can be somebody else', async () => {
    const page = await open('', [403])
    await signIn(page, 'eve')
    await page
      .getByText('You are signed in as eve@example.com, but your account may not see this: it needs one of the roles reader or responder in trailjoin.')
      .waitFor()
    await page.getByRole('button', { name: 'Use another account' }).click()
    await giveName(page, 'ada')
    await page.getByRole('button', { name: /Weather Agent/ }).waitFor()
    expect(await page.locator('.who').innerText()).toBe('ada@example.com')
  })

  test('who may read timelines but no raw records sees the one, and is told what the other needs', async () => {
    const page = await open(VIEW, [403])
    await signIn(page, 'rita')
    await rows(page).first().click()
    await page.getByText('but your account may not see this: it needs the role responder in trailjoin').waitFor()
    await page.getByRole('complementary', { name: 'Event details' }).getByText('Who did it').waitFor()
  })

  test('an answer with another state, or to nothing that this tab asked, is refused and its code is not redeemed', async () => {
    const page = await open(VIEW)
    const grants = grantsOf(page)
    let state = ''
    page.on('request', (request) => {
      if (request.url().startsWith(`${product.provider.issuer}/auth?`)) state = new URL(request.url()).searchParams.get('state') ?? ''
    })
    const answers = [
      () => ({ code: 'somebody-elses', state: 'guessed', iss: product.provider.issuer }),
      () => ({ error: 'access_denied', error_description: 'Call 0900', state: 'guessed', iss: product.provider.issuer }),
      // Of another provider, which was told the state (RFC 9207).
      () => ({ code: 'somebody-elses', state, iss: 'https://evil.example' }),
    ]
    for (const answer of answers) {
      await signInButton(page).click()
      await atProvider(page)
      // In the same tab, whose attempt is waiting.
      await page.goto(`${product.url}/#${new URLSearchParams(answer()).toString()}`)
      await page.getByText('The answer is not to the sign-in that this tab began').waitFor()
      expect(page.url()).toBe(`${product.url}/${VIEW}`)
      expect(await page.getByText('0900').count()).toBe(0)
    }
    expect(state).not.toBe('')
    await page.goto('about:blank')
    for (const answer of ['#code=somebody-elses&state=guessed', '?code=somebody-elses&state=guessed', '?error=x&error_description=Call+0900&state=y']) {
      await page.goto(`${product.url}/${answer}`)
      await page.getByText('An answer came to a sign-in that this tab did not begin').waitFor()
      expect(await page.getByText('0900').count()).toBe(0)
      expect(page.url()).toBe(`${product.url}/`)
      await page.goto('about:blank')
    }
    expect(grants).toEqual([])
  })

  test('an ID token for another sign-in is refused', async () => {
    const page = await open(VIEW)
    await page.route(`${product.provider.issuer}/token`, async (route) => {
      const response = await route.fetch()
      const body = (await response.json()) as { id_token: string }
      const [header, payload = '', signature] = body.id_token.split('.')
      const claims = { ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object), nonce: 'of-another' }
      const other = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
      await route.fulfill({ response, json: { ...body, id_token: other } })
    })
    await signIn(page)
    await page.getByText(/The answer of .* is not a good one: unexpected ID Token "nonce" claim value/).waitFor()
    expect(await rows(page).count()).toBe(0)
  })

  test('a server that does not take what the provider gives says why, and sends nobody round in circles', async () => {
    product.provider.behaviour.audience = 'api://somebody-elses'
    const page = await open(VIEW, [401])
    const visits: string[] = []
    page.on('framenavigated', (frame) => visits.push(frame.url()))
    await signIn(page)
    await page.getByText('You signed in, but the server does not take what your issuer gave. The token is for another audience.').waitFor()
    await page.waitForTimeout(500)
    expect(visits.length).toBeLessThan(8)
    await page.reload()
    await signInButton(page).waitFor()
  })

  test('signing out ends the session at the provider, too, and withdraws the refresh token', async () => {
    const page = await open(VIEW)
    await signIn(page)
    await rows(page).first().waitFor()
    const revoked = page.waitForRequest((request) => request.method() === 'POST' && request.url().startsWith(`${product.provider.issuer}/token/revocation`))
    await page.getByRole('button', { name: 'Sign out' }).click()
    expect(new URLSearchParams((await revoked).postData() ?? '').get('token')).toBeTruthy()
    await atProvider(page)
    expect(page.url()).not.toContain('eyJ')
    await page.getByRole('button', { name: 'Yes, sign me out' }).click()
    await signInButton(page).waitFor()
    expect(page.url()).toBe(`${product.url}/`)
    expect(await page.evaluate('localStorage.length + sessionStorage.length')).toBe(0)
    await signInButton(page).click()
    await atProvider(page)
    await page.getByPlaceholder('and password').waitFor()
  })

  test('signing out while a token is renewed withdraws the refresh token that the renewal brings', async () => {
    product.provider.behaviour.lifetimeSeconds = 5
    const page = await open(VIEW)
    await signIn(page)
    await rows(page).first().waitFor()
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    const brought = new Promise<string>((resolve) => {
      void page.route(
        `${product.provider.issuer}/token`,
        async (route) => {
          const response = await route.fetch()
          resolve(((await response.json()) as { refresh_token: string }).refresh_token)
          await released
          await route.fulfill({ response })
        },
        { times: 1 },
      )
    })
    const withdrawn: (string | null)[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().startsWith(`${product.provider.issuer}/token/revocation`))
        withdrawn.push(new URLSearchParams(request.postData() ?? '').get('token'))
    })
    await page.waitForTimeout(4500)
    await rows(page).first().click()
    const refresh = await brought
    await page.getByRole('button', { name: 'Sign out' }).click()
    release()
    await atProvider(page)
    expect(withdrawn).toEqual([refresh])
  })

  test('who cancels is back at the page, which says so', async () => {
    const page = await open(VIEW)
    await signInButton(page).click()
    await atProvider(page)
    await page.getByRole('link', { name: /cancel/i }).click()
    await page.getByText(/refused/).waitFor()
    expect(page.url()).toBe(`${product.url}/${VIEW}`)
  })

  test('strangers learn where to sign in and nothing more; scripts may ask the provider and nobody else', async () => {
    const response = await fetch(`${product.url}/sign-in`)
    expect(await response.json()).toEqual({
      ways: [{ issuer: product.provider.issuer, clientId: 'trailjoin-page', scope: 'openid profile offline_access access' }],
    })
    expect(response.headers.get('content-security-policy')).toContain(`connect-src 'self' ${product.provider.issuer};`)
    const page = await open('')
    const blocked = await page.evaluate(`fetch('http://127.0.0.2:9/').then(() => 'let through', () => 'blocked')`)
    expect(blocked).toBe('blocked')
    expect(complaints.splice(0).join('\n')).toContain('Content Security Policy')
  })

  test('a token can be pasted all the same', async () => {
    const page = await open(VIEW)
    await signIn(page)
    await rows(page).first().waitFor()
    const token = newest()!
    const other = await open(VIEW)
    await other.getByText('Use an access token instead').click()
    await other.getByLabel('Access token').fill(token)
    await other.getByRole('button', { name: 'Open' }).click()
    await rows(other).first().waitFor()
    await other.getByRole('button', { name: 'Sign out' }).click()
    await signInButton(other).waitFor()
    expect(await other.evaluate('sessionStorage.length')).toBe(0)
  })
})
