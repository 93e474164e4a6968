/** `product: aws`, `service: cloudtrail`: the members of a CloudTrail record by their own names. */
import { recordReader, vendor } from './vendor.ts'
import { valuesAt } from './record-path.ts'
import type { Reader, Vocabulary } from './vocabulary.ts'

export const cloudtrail: Vocabulary = vendor({
  name: 'aws/cloudtrail',
  formats: ['cloudtrail'],
  sources: ['aws'],
  reader: (name) => (name === 'eventName' ? eventName : recordReader(name, (record) => valuesAt(record, name))),
})

/** Nearly every rule asks for it, and the linked event has it: the part of the action behind the service. */
const eventName: Reader = {
  name: 'eventName',
  linked: ['action'],
  fromRecord: false,
  read: (event) => {
    const action = event.field('action')
    return [typeof action === 'string' ? action.slice(action.indexOf(':') + 1) : null]
  },
}
