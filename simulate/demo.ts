import type { WriteOptions } from './write.ts'

/** The world of `demo/`: a test holds the folder against it. Its README names the same options as a command. */
export const DEMO: WriteOptions = {
  seed: 2026,
  agents: 8,
  days: 3,
  start: Date.UTC(2026, 8, 14),
  turnsPerDay: 12,
  noisePerDay: 24,
  duplicates: 0.03,
  rollMinutes: 1440,
  compressAll: true,
  truth: false,
}
