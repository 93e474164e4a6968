import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

const exclude = [...configDefaults.exclude, '**/dist/**']

/** Tests that start whole programs depend on a machine that may be busy; one that fails is run once more, and reported as such. Never those of `unit` and `pg`: there a second chance would hide a race. */
const retry = 1

/** The suffix of a test file decides its project; `test/projects.test.ts` finds a file that none of them runs. */
export const PROJECTS: readonly (TestProjectInlineConfiguration & {
  readonly test: { readonly name: string; readonly include: string[]; readonly exclude: string[] }
})[] = [
  // No test measures time: the limits are for what hangs, on a machine that does other things too.
  { test: { name: 'unit', include: ['**/*.test.ts'], exclude: [...exclude, '**/*.{pg,kafka,e2e,browser}.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
  // Needs PostgreSQL: test/postgres.ts starts it.
  { test: { name: 'pg', include: ['**/*.pg.test.ts'], exclude, globalSetup: ['./test/postgres.ts'], testTimeout: 60_000, hookTimeout: 60_000 } },
  // Needs Java 17 and Maven, or KAFKA_BROKERS: test/kafka.ts starts a broker. Without them it says so and skips; with CI set it fails.
  {
    test: {
      name: 'kafka',
      retry,
      include: ['**/*.kafka.test.ts'],
      exclude,
      globalSetup: ['./test/postgres.ts', './test/kafka.ts'],
      testTimeout: 300_000,
      hookTimeout: 180_000,
    },
  },
  // Runs the program itself.
  { test: { name: 'e2e', retry, include: ['test/**/*.e2e.test.ts'], exclude, testTimeout: 180_000, hookTimeout: 180_000 } },
  // Runs the page in a Chromium.
  { test: { name: 'browser', retry, include: ['**/*.browser.test.ts'], exclude, testTimeout: 120_000, hookTimeout: 120_000 } },
]

// Each pg and e2e file keeps a server process busy beside its own: more workers than two are slower on two cores.
// oidc-provider reminds whoever runs it of what a real one needs; the one of test/browser is for tests.
const onConsoleLog = (text: string): boolean => !/oidc-provider (?:NOTICE|WARNING): /.test(text)

export default defineConfig({ test: { maxWorkers: 2, onConsoleLog, projects: [...PROJECTS] } })
