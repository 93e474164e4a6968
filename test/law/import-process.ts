/**
 * A process that imports a folder into a store in small batches and draws conclusions now and then; killed by `kill.pg.test.ts`. Prints a
 * line when it begins and `done` when everything is stored. Arguments: address of the database, folder, records a batch.
 */
import { createCorrelator } from '#correlate/index.ts'
import { openPool } from '#database/open.ts'
import { importPaths } from '#ingest/import.ts'

const DRAIN_EVERY = 4

const [url = '', folder = '', batchSize = '25'] = process.argv.slice(2)
const pool = await openPool(url)
const correlator = createCorrelator(pool)
console.log('begins')
let batches = 0
const { errors } = await importPaths([folder], {
  batchSize: Number(batchSize),
  sink: {
    knows: correlator.knows,
    deliver: async (records, rejections) => {
      const receipt = await correlator.deliver(records, rejections)
      if (++batches % DRAIN_EVERY === 0) await correlator.drain()
      return receipt
    },
    drain: () => correlator.drain(),
  },
})
await pool.end()
if (errors.length > 0) throw new Error(JSON.stringify(errors))
console.log('done')
