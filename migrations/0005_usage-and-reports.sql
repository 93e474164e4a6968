CREATE TABLE "report_runs" (
	"name" text NOT NULL,
	"period_from" date NOT NULL,
	"period_to" date NOT NULL,
	"format" text NOT NULL,
	"target" text NOT NULL,
	"sha256" text NOT NULL,
	"made_at" timestamp with time zone NOT NULL,
	CONSTRAINT "report_runs_name_period_from_period_to_pk" PRIMARY KEY("name","period_from","period_to")
);
--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "ran_region" text;--> statement-breakpoint
ALTER TABLE "usage_daily" ADD COLUMN "ran_region" text;--> statement-breakpoint
ALTER TABLE "usage_daily" ADD COLUMN "throttles" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "usage_parts" ADD COLUMN "throttles" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
-- Calls that were counted before throttles were are counted once more. (Where they ran stands only in events that are read from now on.)
INSERT INTO "pending" ("times", "event_ids", "keys")
SELECT array_agg("time_ns"), array_agg("event_id"), '{}' FROM (
	SELECT "time_ns", "event_id", (row_number() OVER (ORDER BY "time_ns") - 1) / 10000 AS part FROM "events" WHERE "kind" IN ('llm.invoked', 'llm.metered')
) calls GROUP BY part;
