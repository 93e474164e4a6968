/** A column of `slice` (slice.ts), or an expression over its columns, for each property of the profile. */
type Columns<Profile> = { readonly [Name in keyof Profile]: string }

/**
 * What findings ask of many events: each topic sums up the events of a day by what they have in common (their profile). A topic speaks of facts and conclusions only, never of the
 * directory or of other days, so that a day's sums follow from that day's events. The one exception is `held`, which looks nine hours back.
 */
export interface Topic<Profile> {
  readonly name: string
  /** A condition over `slice`. */
  readonly where: string
  readonly profile: Columns<Profile>
  /** Which events each sum lists: all, the first thousand of each day, or none. */
  readonly lists: 'all' | 'first' | 'none'
}
