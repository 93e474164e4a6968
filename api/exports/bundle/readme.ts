/** The words that go with every bundle, for whoever opens it without us. */
export const README = `Evidence bundle of one Entra object id (oid), written by trailjoin.

manifest.json        what this is: oid, period (from inclusive, to exclusive), who may see what, counts, what was left out, hashes of all entries
oid.json             what is known of the oid
timeline.ndjson      everything in its timeline in that period, one event a line, in order of time
supporting.ndjson    events outside of it that the attribution of others rests on
attributions.ndjson  for each event who it is attributed to, how surely, on what events that rests, and what its record by itself proves
records.ndjson       the raw records behind all these events as their clouds wrote them (credentials are masked: "masked" lists the JSON pointers);
                     "sha256" is the hash of "text" in UTF-8; "speaks" marks the text that the event was made from, others are the same event by another road
findings.ndjson      findings about the oid that touch the period
coverage.json        which logs were there. A log that is not listed was not seen; its silence says nothing.

To check it:  trailjoin verify FILE.zip
It reads every byte: hashes, the chain of entries, each record's text against its hash, each event against its record. What it cannot tell is whether
somebody made the whole file anew: for that, compare the SHA-256 of the file with the one noted when it was made (--sha256).

By hand: the archive comment holds the SHA-256 of all bytes before it. In manifest.json the first link of the chain is
SHA-256("trailjoin evidence bundle 1"), each next one SHA-256(link before LF name LF bytes LF sha256), all in lower-case hexadecimal.
`
