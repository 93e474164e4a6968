import type { Intake } from './intake.ts'

/** What the process around the API offers it: the command line wires it, because the API itself knows neither ingest nor the correlator. */
export interface Services {
  /** Takes pushed records in. */
  readonly intake?: Intake
}
