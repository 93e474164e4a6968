import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Writes `<name>.key` and `<name>.pem` into the folder: a self-signed certificate for the host, good for so many days. Needs `openssl`. */
export function makeCertificate(folder: string, name: string, host: string, days: number): void {
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`, '-days', String(days)]
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...subject, ...files], { stdio: 'pipe' })
}
