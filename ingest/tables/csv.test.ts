import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csvReader } from './csv.ts'
import { read } from './testing.ts'

const csv = (text: string, size?: number) => read(csvReader, text, size)

describe('a row of a table becomes a record named by its columns', () => {
  test('with the line that it begins on, quotes and line breaks in cells included', () => {
    expect(csv('TimeGenerated,Id,Agent\r\nt1,a,"{""agentType"":""x,\ny""}"\r\nt2,b,\r\n')).toEqual({
      records: [
        [2, { TimeGenerated: 't1', Id: 'a', Agent: '{"agentType":"x,\ny"}' }],
        [4, { TimeGenerated: 't2', Id: 'b', Agent: '' }],
      ],
      rejected: [],
    })
  })

  test.each([
    ['semicolons', 'Id;AppId;CreatedDateTime\na;b;c'],
    ['tabs', 'Id\tAppId\tCreatedDateTime\na\tb\tc'],
    ['bars', 'Id|AppId|CreatedDateTime\na|b|c'],
    ['what Excel says above', 'sep=;\r\nId;AppId;CreatedDateTime\r\na;b;c'],
    ['a byte-order mark before quotes', '\uFEFF"Id","AppId","CreatedDateTime"\r\n"a","b","c"\r\n'],
    ['the type that PowerShell writes above', '#TYPE Selected.Microsoft.Graph.SignIn\r\n"Id","AppId","CreatedDateTime"\r\n"a","b","c"'],
  ])('with %s', (_name, text) => {
    expect(csv(text)?.records.map(([, value]) => value)).toEqual([{ Id: 'a', AppId: 'b', CreatedDateTime: 'c' }])
  })

  test('a title with dots is a path, and what is below it is left out where its cells are empty', () => {
    const head =
      'insertId,protoPayload.@type,protoPayload.status.code,protoPayload.authorizationInfo.0.permission,protoPayload.authorizationInfo.1.permission,textPayload'
    expect(csv(`${head}\na,t,,p,,\nb,,,,,hello`)?.records.map(([, value]) => value)).toEqual([
      { insertId: 'a', protoPayload: { '@type': 't', authorizationInfo: [{ permission: 'p' }] }, textPayload: '' },
      { insertId: 'b', textPayload: 'hello' },
    ])
  })

  test('a column that is there twice keeps both cells, and one named __proto__ is a column like others', () => {
    expect(JSON.stringify(csv('Date (UTC),Token,Token,__proto__,\n1,2,3,4,5')?.records[0]![1])).toBe(
      '{"Date (UTC)":"1","Token":"2","Token (column 3)":"3","__proto__":"4","column 5":"5"}',
    )
  })

  test('files that were put together: the second head is none of the rows, and another table has its own columns', () => {
    const text = 'Date (UTC),Request ID\n1,a\n\uFEFFDate (UTC),Request ID\n2,b\nEvent name,Event time,Event source\nx,y,z\n'
    expect(csv(text)).toEqual({
      records: [
        [2, { 'Date (UTC)': '1', 'Request ID': 'a' }],
        [4, { 'Date (UTC)': '2', 'Request ID': 'b' }],
        [6, { 'Event name': 'x', 'Event time': 'y', 'Event source': 'z' }],
      ],
      rejected: [],
    })
  })

  test('without a head, cells that hold objects are the records', () => {
    expect(csv('"{""a"":{""b"":1}}",x\ny,z\n')).toEqual({
      records: [[1, { a: { b: 1 } }]],
      rejected: [[2, 'no record: a row of a table without titles, and none of its cells is an object', 'y,z']],
    })
  })
})

describe('one bad row costs that row', () => {
  test('of another number of cells', () => {
    expect(csv('Date (UTC),Request ID\n1\n2,b\n3,c,d\n4,e,\n')).toEqual({
      records: [
        [3, { 'Date (UTC)': '2', 'Request ID': 'b' }],
        [5, { 'Date (UTC)': '4', 'Request ID': 'e' }],
      ],
      rejected: [
        [2, 'no row of its table: it has 1 cells, and the table 2 columns', '1'],
        [4, 'no row of its table: it has 3 cells, and the table 2 columns', '3,c,d'],
      ],
    })
  })

  test.each([['"open,b\n2,"c"\n3,d\n'], ['"open,b\n2,c\n3,d']])('with a quote that does not end: %j', (rows) => {
    const result = csv(`Date (UTC),Request ID\n${rows}`)!
    expect(result.records.map(([line]) => line)).toEqual([3, 4])
    expect(result.rejected).toEqual([[2, 'a quote without its end', '"open,b']])
  })

  test('that is larger than any row', () => {
    const result = csv(`Date (UTC),Request ID\n1,"${'x'.repeat(5_000_000)}"\n2,b\n`, 65_536)!
    expect(result.records).toEqual([[3, { 'Date (UTC)': '2', 'Request ID': 'b' }]])
    expect(result.rejected).toMatchObject([[2, 'a row larger than 4194304 bytes', expect.any(String)]])
  })
})

describe('is no table of log records:', () => {
  test.each([
    ['a list of prices', 'item,price\nbread,2\n'],
    ['a letter', 'Dear all,\nplease find attached, as promised,\n'],
    ['a program', 'import { a, id } from "./b"\n'],
    ['settings', 'Id: 1\nTimeGenerated: 2\n'],
    ['JSON lines', '{"Date (UTC)":1,"Request ID":2}\n'],
  ])('%s', (_name, text) => expect(csv(text)).toBeNull())
})

test('however it is cut, a table gives the rows that were written', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', ' ', 'é', '😀', ';'), maxLength: 6 })
  const rows = fc.array(fc.tuple(cell, cell), { maxLength: 6 })
  const written = (text: string): string => `"${text.replaceAll('"', '""')}"`
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 9 }), (table, size) => {
      const text = ['Date (UTC),Request ID', ...table.map((row) => row.map(written).join(','))].join('\n')
      expect(csv(text, size)?.records.map(([, value]) => value)).toEqual(table.map(([a, b]) => ({ 'Date (UTC)': a, 'Request ID': b })))
    }),
    { numRuns: 300 },
  )
})
