import type { CommandFactory } from '../cli.ts'
import { accessLogCommand } from './access-log.ts'
import { agentsCommand } from './agents.ts'
import { apiCommand } from './api.ts'
import { bundleCommand } from './bundle.ts'
import { correlateCommand } from './correlate.ts'
import { doctorCommand } from './doctor.ts'
import { explainCommand } from './explain.ts'
import { exportCommand } from './export.ts'
import { findingsCommand } from './findings.ts'
import { importCommand } from './import.ts'
import { ingestCommand } from './ingest.ts'
import { kafkaCommand } from './kafka.ts'
import { migrateCommand } from './migrate.ts'
import { rejectedCommand } from './rejected.ts'
import { reportCommand } from './report.ts'
import { resolveCommand } from './resolve.ts'
import { sigmaCommand } from './sigma.ts'
import { simulateCommand } from './simulate.ts'
import { timelineCommand } from './timeline.ts'
import { tokensCommand } from './tokens.ts'
import { tracesCommand } from './traces.ts'
import { unmappedCommand } from './unmapped.ts'
import { upCommand } from './up.ts'
import { verifyCommand } from './verify.ts'
import { whatIfCommand } from './what-if.ts'

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandFactory[] = [
  upCommand,
  importCommand,
  timelineCommand,
  resolveCommand,
  tracesCommand,
  agentsCommand,
  findingsCommand,
  sigmaCommand,
  explainCommand,
  reportCommand,
  whatIfCommand,
  rejectedCommand,
  unmappedCommand,
  exportCommand,
  bundleCommand,
  verifyCommand,
  simulateCommand,
  ingestCommand,
  correlateCommand,
  kafkaCommand,
  apiCommand,
  tokensCommand,
  accessLogCommand,
  doctorCommand,
  migrateCommand,
]
