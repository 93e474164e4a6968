/** What to say to somebody who is signed in, but has none of the roles that may see something. */
export function missingRole(name: string | null, roles: readonly string[]): string {
  // An admin may do everything: nobody should ask for that to read a timeline.
  const enough = roles.filter((role) => role !== 'admin')
  const wanted = enough.length > 0 ? enough : roles
  const list = wanted.length === 1 ? `the role ${wanted[0]}` : `one of the roles ${wanted.slice(0, -1).join(', ')} or ${wanted.at(-1)}`
  return `You are signed in${name === null ? '' : ` as ${name}`}, but your account may not see this: it needs ${list} in trailjoin. Whoever looks after trailjoin in your organisation can assign it.`
}
