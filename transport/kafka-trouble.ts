/** What an error at the start of a connection means for whoever has set KAFKA_…: names the setting to look at. */

interface Connection {
  readonly tls: boolean
  readonly sasl: boolean
}

/** The message with advice, where there is any. */
export function explainKafkaError(error: unknown, { tls, sasl }: Connection): string {
  const { name = '', message = String(error), code = '' } = (error instanceof Error ? error : {}) as { name?: string; message?: string; code?: string }
  const words = message === '' ? code : message
  // Before the certificates: a message that has both is about the sign-in.
  if (name === 'KafkaJSSASLAuthenticationError' || /SASL/.test(words))
    return `the sign-in was refused (${words}). Check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and the password`
  if (/certificate|CERT|altnames/i.test(`${words} ${code}`))
    return `${words}. Whom to believe says KAFKA_TLS_CA_FILE (the authority's certificate), and the broker's certificate must hold the name in KAFKA_BROKERS`
  // A broker in clear closes the connection of who begins with TLS.
  if (tls && (words === NO_KAFKA || /wrong version number|packet length too long|EPROTO|ECONNRESET|socket disconnected/i.test(`${words} ${code}`)))
    return `${words}. If it does not speak TLS there, take another port, or KAFKA_TLS=false`
  if (!tls && words === NO_KAFKA) return `${words}. If it speaks TLS, set KAFKA_TLS=true (and KAFKA_TLS_CA_FILE for an authority of your own)`
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT|no answer within/.test(`${words} ${code}`))
    return `${words}. Is it running, and is this its address as seen from here?`
  if (!sasl && /closed connection|disconnected/i.test(words))
    return `it closed the connection (${words}). If it asks who this is, set KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and a password`
  return words
}

/** What the check of a broker says when the answer is none of Kafka's. */
export const NO_KAFKA = 'what answers there is no Kafka broker'
