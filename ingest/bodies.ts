/**
 * Objects that Bedrock's model invocation logging puts beside its logs when a body is large or no text:
 * `…/BedrockModelInvocationLogs/<region>/YYYY/MM/DD/HH/data/<requestId>_input.json.gz`, `_output.json.gz`, `_input_media_01.pdf`. They are prompts
 * and completions and nothing else, so they are not even read, also out of a folder that was copied flat.
 */
const BODY = /_(?:input|output)(?:_\w{1,40})?\.[\w.]{1,20}$/i
const REQUEST_ID = /^[0-9a-f][0-9a-f-]{7,}_(?:input|output)/i

/** True for the name of a file, of an object, or of an entry of an archive (`archive.zip!entry`) that holds a prompt or a completion. */
export function isBodyObject(name: string): boolean {
  const parts = name.split(/[/\\!]/)
  const last = parts.at(-1) ?? ''
  if (!BODY.test(last)) return false
  return REQUEST_ID.test(last) || parts.at(-2)?.toLowerCase() === 'data'
}

/** Why such a file is left out, for summaries. */
export const BODY_REASON = 'a prompt or completion that Bedrock put beside its invocation log: never read'
