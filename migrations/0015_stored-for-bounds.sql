-- What row-level security would make dear: see migrations/schema/conclusions.ts. Rows that are there take the values from the events and timelines that they rest on.
-- Everything that this and the following migrations lock, at once, before the work, and in the order in which writers do: one that still runs waits, instead of holding one table and wanting another.
LOCK TABLE "chunks", "events", "conclusions", "traces", "rejected" IN ACCESS EXCLUSIVE MODE;--> statement-breakpoint
ALTER TABLE "conclusions" ADD COLUMN "source" "source";--> statement-breakpoint
ALTER TABLE "conclusions" ADD COLUMN "kind" "kind";--> statement-breakpoint
ALTER TABLE "conclusions" ADD COLUMN "outcome" "outcome";--> statement-breakpoint
UPDATE "conclusions" c SET "source" = e.source, "kind" = e.kind, "outcome" = e.outcome FROM "events" e WHERE e.time_ns = c.time_ns AND e.event_id = c.event_id;--> statement-breakpoint
ALTER TABLE "conclusions" ALTER COLUMN "source" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "conclusions" ALTER COLUMN "kind" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "conclusions" ALTER COLUMN "outcome" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "traces" ADD COLUMN "events" bigint;--> statement-breakpoint
ALTER TABLE "traces" ADD COLUMN "sources" "source"[];--> statement-breakpoint
UPDATE "traces" t SET "events" = m.events, "sources" = m.sources FROM (
	SELECT x.id, count(*) AS events, array_agg(DISTINCT l.source ORDER BY l.source) AS sources FROM "traces" x
	JOIN "timeline" l ON l.tenant_id = x.tenant_id AND l.oid = x.owner_oid AND l.is_owner AND l.time_ns BETWEEN x.start_ns AND x.end_ns
	GROUP BY x.id
) m WHERE m.id = t.id;
--> statement-breakpoint
ALTER TABLE "traces" ALTER COLUMN "events" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "traces" ALTER COLUMN "sources" SET NOT NULL;--> statement-breakpoint
CREATE INDEX "traces_tenant_start" ON "traces" USING btree ("tenant_id","start_ns","id");--> statement-breakpoint
CREATE INDEX "traces_start" ON "traces" USING btree ("start_ns","id");
