import type { Registry } from 'prom-client'
import type { SignInWay } from './access/sign-in.ts'
import type { Intake } from './intake.ts'
import type { Bell } from './live/bell.ts'

/** What the process around the API offers it: the command line wires it, because the API itself knows neither ingest nor the correlator. */
export interface Services {
  /** Takes pushed records in. */
  readonly intake?: Intake
  /** Rings when conclusions were committed. */
  readonly bell?: Bell
  /** What `/metrics` gives; requests are counted there, too. */
  readonly metrics?: Registry
  /** Where people sign in to the page; `createApp` takes it from the settings. */
  readonly signIn?: readonly SignInWay[]
}
