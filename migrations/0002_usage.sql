CREATE TABLE "usage_daily" (
	"id" uuid PRIMARY KEY NOT NULL,
	"day" date NOT NULL,
	"tenant_id" uuid,
	"share" text NOT NULL,
	"agent_oid" uuid,
	"confidence" "confidence" NOT NULL,
	"candidates" uuid[] NOT NULL,
	"cloud" "source" NOT NULL,
	"account" text,
	"region" text,
	"model" text,
	"model_id" text,
	"token_basis" text NOT NULL,
	"calls" bigint DEFAULT 0 NOT NULL,
	"errors" bigint DEFAULT 0 NOT NULL,
	"input_tokens" numeric DEFAULT '0' NOT NULL,
	"output_tokens" numeric DEFAULT '0' NOT NULL,
	"cache_read_tokens" numeric DEFAULT '0' NOT NULL,
	"cache_write_tokens" numeric DEFAULT '0' NOT NULL,
	"parts" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "usage_parts" (
	"event_id" uuid PRIMARY KEY NOT NULL,
	"row_id" uuid NOT NULL,
	"calls" smallint NOT NULL,
	"errors" smallint NOT NULL,
	"input_tokens" bigint NOT NULL,
	"output_tokens" bigint NOT NULL,
	"cache_read_tokens" bigint NOT NULL,
	"cache_write_tokens" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "usage_daily_day" ON "usage_daily" USING btree ("day");--> statement-breakpoint
-- Calls that were concluded about before there was a usage report are looked at once more: then they are counted.
INSERT INTO "pending" ("times", "event_ids", "keys")
SELECT array_agg("time_ns"), array_agg("event_id"), '{}' FROM (
	SELECT "time_ns", "event_id", (row_number() OVER (ORDER BY "time_ns") - 1) / 10000 AS part FROM "events" WHERE "kind" IN ('llm.invoked', 'llm.metered')
) calls GROUP BY part;
