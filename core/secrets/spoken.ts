/**
 * Secrets that are known by the words around them: what a shell's command, a statement of SQL or a sentence gives away. Each finder begins at
 * a pair of characters (see `looks.ts`) and refuses by a few characters more, because every text that is stored is looked at.
 */
import { kindOfKey } from './keys.ts'
import { MASKED, isHarmless } from './masked.ts'

/** A place in a text and what takes its place. */
export interface Hit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Looks whether something begins at a place of a text. */
export type Find = (text: string, at: number) => Hit | null

/** A hit on the last group of a match that ends where the value ends. */
function hit(from: number, found: RegExpExecArray | null): Hit | null {
  const value = found?.[1]
  if (!found || value === undefined || isHarmless(value) || value.includes(MASKED)) return null
  const end = from + found[0].length
  return { start: end - value.length, end, text: MASKED }
}

/** What stands before on the same command line. */
const line = (text: string, at: number): string => /[^|;&\n]*$/.exec(text.slice(Math.max(0, at - 160), at))![0]

const option =
  (tool: RegExp, value: RegExp): Find =>
  (text, at) => {
    // `-p` of `--password` is no option.
    if (text.charCodeAt(at - 1) === 45 && value !== USER) return null
    const found = hit(at, value.exec(text.slice(at, at + 300)))
    return found !== null && tool.test(line(text, at)) ? found : null
  }

/** `user:password` or `user%password` as the value of an option. */
const USER = /^-{1,2}(?:u|U|user|proxy-user)(?:\s+|=)?['"]?[\w.@\\-]{0,64}[:%]([^\s'"]{1,200})/

/** After these words comes the value: `password is x`, `PASSWORD 'x'`, `password eq 'x'`, `Password for admin: x`. */
const SAID =
  /^(?:(?:\s|%20|\+)+(?:for|of)(?:\s|%20|\+)+[\w@.\\'"-]{1,64})?(?:\s|%20|\+)*(?:(?<=[\s0+])(?:is|was|eq|set to|will be|by)(?:\s|%20|\+)+|->\s*|=>\s*|→\s*|[:=]\s*)N?\\?['"]?([^\s'"\\,;&)<>]{4,200})/i
const QUOTED = /^\s+N?\\?['"]([^\s'"\\]{3,200})(?=\\?['"])/
/** Words of sentences about passwords have no digit. */
const isStrong = (value: string): boolean => /\d/.test(value) || /[A-Za-z][^\w\s.:'-]+[A-Za-z]/.test(value)

function password(text: string, at: number): Hit | null {
  // `o` of password, `s` and `p` of passwd and pwd, `a` of passphrase: most words that end so are others.
  const last = text.charCodeAt(at - 1) | 32
  if (last !== 111 && last !== 115 && last !== 112 && last !== 97) return null
  if (!/(?:passw(?:or)?d|pwd|passphrase)$/i.test(text.slice(Math.max(0, at - 9), at + 2))) return null
  const from = at + 2
  const rest = text.slice(from, from + 300)
  const said = hit(from, SAID.exec(rest))
  if (said !== null && isStrong(text.slice(said.start, said.end))) return said
  const quoted = hit(from, QUOTED.exec(rest))
  if (quoted !== null) return quoted
  // `machine h login u password x` of .netrc.
  return /\blogin\s{1,8}\S{1,64}\s{1,8}\w{1,9}$/.test(text.slice(Math.max(0, at - 90), from)) ? hit(from, /^\s+(\S{1,200})/.exec(rest)) : null
}

/** `the api key is x`. */
function said(text: string, at: number): Hit | null {
  if (text.charCodeAt(at + 2) !== 32 || text.charCodeAt(at - 1) !== 32) return null
  const name = /([A-Za-z_-]{2,32} )?[A-Za-z_-]{3,32} $/.exec(text.slice(Math.max(0, at - 68), at))?.[0].trim()
  if (name === undefined || (kindOfKey(name) ?? kindOfKey(name.split(' ').at(-1)!)) === null) return null
  const found = hit(at, /^is\s+\\?['"]?([^\s'"\\,;&)<>]{6,200})/.exec(text.slice(at, at + 240)))
  return found !== null && /\d/.test(text.slice(found.start, found.end)) && /[A-Za-z]/.test(text.slice(found.start, found.end)) ? found : null
}

/** What the text before a place ends with, as a hit on the last group. */
function before(text: string, at: number, ends: RegExp, least: number): Hit | null {
  const found = ends.exec(text.slice(Math.max(0, at - 200), at))
  const value = found?.[1]
  if (!found || value === undefined || value.length < least || value.includes(MASKED)) return null
  const start = at - found[0].length + found[0].lastIndexOf(value)
  return { start, end: start + value.length, text: MASKED }
}

const begins =
  (value: RegExp): Find =>
  (text, at) =>
    hit(at, value.exec(text.slice(at, at + 400)))

/** Keys of Azure that carry a signature at a fixed place (https://learn.microsoft.com/purview/sit-defn-azure-storage-account-key and its siblings). */
const signed =
  (sign: string, place: number, length: number): Find =>
  (text, at) => {
    const start = at - place
    if (start < 0 || !text.startsWith(sign, at)) return null
    const run = /^[\w+/-]{40,90}/.exec(text.slice(start, start + 91))?.[0]
    if (run === undefined || run.length !== length || /[\w+/-]/.test(text[start - 1] ?? ' ')) return null
    return { start, end: start + length, text: MASKED }
  }

/** 64 bytes in base64, as keys of Azure's storage and Cosmos DB are. */
function sixtyFour(text: string, at: number): Hit | null {
  const start = at - 86
  if (start < 0 || text.charCodeAt(at + 2) === 61 || /[\w+/-]/.test(text[start - 1] ?? ' ')) return null
  const run = text.slice(start, at)
  if (!/^[A-Za-z\d+/]{86}$/.test(run) || !/[a-z]/.test(run) || !/[A-Z]/.test(run)) return null
  return { start, end: at + 2, text: MASKED }
}

/** `<ns:Password xsi:type="x">value</…>`: the name stands before the attributes. */
function tagged(text: string, at: number): Hit | null {
  const tag = /<(?:[\w.-]{1,40}:)?([\w.-]{3,60})\s[^<>]{1,200}$/.exec(text.slice(Math.max(0, at - 300), at + 1))
  if (tag === null || kindOfKey(tag[1]!) === null || kindOfKey(tag[1]!) === 'looks') return null
  return hit(at + 2, /^\s{0,20}(?:<!\[CDATA\[)?([^<\]\s][^<\]]{0,400})/.exec(text.slice(at + 2, at + 440)))
}

/** Each with the pairs of characters that it begins at, and whether only at the beginning of a word. */
export const SPOKEN: readonly (readonly [pairs: string, word: boolean, find: Find])[] = [
  ['rd RD wd WD se SE', false, password],
  ['is', true, said],
  [
    'BY by',
    true,
    (text, at) =>
      /identified\s$/i.test(text.slice(Math.max(0, at - 11), at)) ? begins(/^by\s+(?:password\s+|values\s+)?['"]([^'"]{1,200})/i)(text, at) : null,
  ],
  ['-p', true, option(/\b(?:mysql|mariadb)\w*\s/, /^-p['"]?([^\s'"=-][^\s'"]{1,200})/)],
  [
    '-p',
    true,
    option(
      /\b(?:sshpass|plink|pscp|mongo(?:sh|dump|restore)?|cqlsh|evil-winrm|7za?|7zr|unrar|rar|useradd|usermod|lpass|(?:docker|podman|helm|az|oc)\s(?:[\w -]*)login)\s/,
      /^-p\s*['"]?([^\s'"=-][^\s'"]{1,200})/,
    ),
  ],
  ['-P', true, option(/\b(?:sqlcmd|bcp|ipmitool|zip|unzip|zipcloak|mosquitto_\w+)\s/, /^-P\s*['"]?([^\s'"=-][^\s'"]{1,200})/)],
  ['-k', true, option(/\bopenssl\s/, /^-k\s+['"]?([^\s'"-][^\s'"]{1,200})/)],
  ['-u', true, option(/\blftp\s/, /^-u\s*[\w.@-]{1,64},([^\s'"]{1,200})/)],
  [
    '-S -s',
    false,
    (text, at) =>
      /^-(?:S|stdin)\b/.test(text.slice(at, at + 7))
        ? before(
            text,
            at,
            /echo\s+(?:-n\s+)?['"]?([^\s'"|]{2,200})['"]?\s*\|\s*(?:sudo|su|passwd|docker|podman|cryptsetup|kinit|aws|az|helm|\s)[\w ./:-]{0,80}$/,
            2,
          )
        : null,
  ],
  [
    '/p',
    false,
    (text, at) =>
      (text.charCodeAt(at + 2) === 58 || text.startsWith('/pass:', at)) && /\b(?:xfreerdp|wfreerdp|mstsc|cmdkey|schtasks)\b/i.test(line(text, at))
        ? begins(/^\/p(?:ass)?:['"]?([^\s'"]{1,200})/)(text, at)
        : null,
  ],
  ['-u -U', true, option(/\b(?:curl|wget|https?|smbclient|rpcclient|net|mount)\s/, USER)],
  ['-a', true, option(/\bredis-cli\s/, /^-a\s*['"]?([^\s'"-][^\s'"]{1,200})/)],
  ['-a', true, option(/\bhttps?\s/, /^-a\s*['"]?[\w.@-]{1,64}:([^\s'"]{1,200})/)],
  ['-b', true, option(/\bhtpasswd\s/, /^-b\w{0,5}\s+\S{1,200}\s+\S{1,64}\s+['"]?([^\s'"]{1,200})/)],
  ['-w', true, option(/\bldap\w{3,8}\s/, /^-w\s*['"]?([^\s'"]{1,200})/)],
  [
    '-S -s',
    false,
    (text, at) => (text.charCodeAt(at + 2) === 101 ? begins(/^-SecureString\s+(?:-String\s+)?\\?['"]?([^\s'"$\\-][^\s'"\\]{1,200})/i)(text, at) : null),
  ],
  ['ne', true, begins(/^net (?:user|use(?: \S{1,3})?) \S{1,80} ([^\s/*"'][^\s"']{1,200})/)],
  ['ch', true, (text, at) => (text.startsWith('chpasswd', at) ? before(text, at, /[\w.-]{1,64}:([^\s'"|]{1,200})['"]?\s*\|\s*(?:sudo\s+)?$/, 1) : null)],
  [
    'pg',
    true,
    (text, at) =>
      text.startsWith('pgpass', at)
        ? before(text, at, /[\w.*-]{1,80}:[\d*]{1,5}:[\w*-]{1,64}:[\w*-]{1,64}:([^\s'"\\]{1,200})\\?['"]?\s*>+\s*\S{0,80}$/, 1)
        : null,
  ],
  ['aw', true, begins(/^aws_(?:secret_access_key|session_token)\s+['"]?([^\s'"=:]{8,400})/)],
  ['sq', true, begins(/^sql(?:plus|ldr|cl)\s+(?:-\S{1,20}\s+){0,4}['"]?[\w$#]{1,64}\/([^\s@'"/]{1,200})(?=[@\s])/)],
  ['jd', true, begins(/^jdbc:oracle:\w{3,5}:[\w$#]{1,64}\/([^\s@'"]{1,200})(?=@)/)],
  ['@t @u', false, (text, at) => (/^@(?:tcp|unix)\d?\(/.test(text.slice(at, at + 7)) ? before(text, at, /[\w.-]{1,64}:([^\s@"']{1,180})$/, 1) : null)],
  ['==', false, sixtyFour],
  ['+A', false, signed('+AEh', 33, 43)],
  ['+A', false, signed('+ASb', 33, 43)],
  ['+A', false, signed('+ARm', 33, 43)],
  ['+A', false, signed('+ACR', 42, 52)],
  ['AI', false, signed('AIoT', 33, 43)],
  ['Az', false, signed('AzCa', 33, 43)],
  ['Az', false, signed('AzSe', 42, 52)],
  ['Az', false, signed('AzFu', 44, 54)],
  ['AZ', false, signed('AZDO', 76, 84)],
  // A key of AWS beside its id, as the console's CSV has them.
  ['AK', true, begins(/^AKIA[A-Z\d]{16}[^A-Za-z\d+/]{1,10}([A-Za-z\d+/]{40})(?![A-Za-z\d+/=])/)],
  // Bots of Telegram, Mailgun, Terraform Cloud, refresh tokens of Entra, a policy of CloudFront, SAML in base64.
  // Tokens of Vault before 1.10.
  [
    's.',
    true,
    (text, at) =>
      /^s\.(?=\w{0,23}\d)(?=\w{0,23}[A-Z])(?=\w{0,23}[a-z])[A-Za-z\d]{24}(?![\w.])/.test(text.slice(at, at + 28))
        ? { start: at + 2, end: at + 26, text: MASKED }
        : null,
  ],
  [':A', false, (text, at) => (/\d{8,10}$/.test(text.slice(Math.max(0, at - 10), at)) ? begins(/^:(A[\w-]{33,60})/)(text, at) : null)],
  ['ke', true, begins(/^key-([\da-f]{32})(?![\w-])/)],
  ['.a', false, (text, at) => (text.startsWith('.atlasv1.', at) ? before(text, at, /([A-Za-z\d]{14})$/, 14) : null)],
  ['.A', false, (text, at) => (/^[01]$/.test(text[at - 1] ?? '') ? begins(/^\.(A[A-Za-z\d]{2}[\w-]{20,200}\.Ag[\w.-]{20,})/)(text, at) : null)],
  ['Po', true, (text, at) => (text.startsWith('Policy=', at) && text.includes('Key-Pair-Id') ? begins(/^Policy=([\w~-]{8,400})/)(text, at) : null)],
  ['PH', true, begins(/^PHNhbW([\w+/-]{40,400})/)],
  [`"> '>`, false, tagged],
]
