-- What was done with a cloud credential is concluded about once more: its candidates are now everybody who could have used the subject since the exchange, and no longer those of the event's own time alone.
INSERT INTO "pending" ("times", "event_ids", "keys")
SELECT array_agg("time_ns"), array_agg("event_id"), '{}' FROM (
	SELECT "time_ns", "event_id", (row_number() OVER (ORDER BY "time_ns") - 1) / 10000 AS part FROM "conclusions"
		WHERE "source" IN ('aws', 'gcp') AND "kind" <> 'token.exchanged' AND ("subject_oid" IS NOT NULL AND "agent_oid" IS DISTINCT FROM "subject_oid" OR 'proximity' = ANY("basis"))
) used GROUP BY part;
