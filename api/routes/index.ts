import { accessLog } from './access-log.ts'
import { agents } from './agents.ts'
import { coverage } from './coverage.ts'
import { event, eventRaw } from './event.ts'
import { evidence } from './evidence.ts'
import { eventExplain, oidExplain } from './explain.ts'
import { acknowledgeFinding, finding, findings, reopenFinding } from './findings.ts'
import { healthz, readyz } from './health.ts'
import { llmUsageReport } from './llm-usage.ts'
import { metrics } from './metrics.ts'
import { oid } from './oid.ts'
import { records } from './records.ts'
import { rejected } from './rejected.ts'
import { resolve } from './resolve.ts'
import type { RunnableRoute } from './route.ts'
import { signIn } from './sign-in.ts'
import { stream } from './stream.ts'
import { timeline } from './timeline.ts'
import { trace, traces } from './traces.ts'
import { unmapped } from './unmapped.ts'
import { whatIf } from './what-if.ts'

/** Every route of the API, in the order of the documentation. */
export const ROUTES: readonly RunnableRoute[] = [
  agents,
  resolve,
  oid,
  timeline,
  stream,
  evidence,
  oidExplain,
  traces,
  trace,
  event,
  eventRaw,
  eventExplain,
  findings,
  finding,
  acknowledgeFinding,
  reopenFinding,
  llmUsageReport,
  whatIf,
  coverage,
  records,
  rejected,
  unmapped,
  accessLog,
  signIn,
  healthz,
  readyz,
  metrics,
]
