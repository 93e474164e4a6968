CREATE TYPE "public"."log_gap_cause" AS ENUM('retention', 'recreated', 'unreadable', 'skipped');--> statement-breakpoint
CREATE TABLE "log_gaps" (
	"log" text NOT NULL,
	"partition" integer NOT NULL,
	"first_offset" bigint NOT NULL,
	"last_offset" bigint,
	"from_at" timestamp with time zone,
	"until_at" timestamp with time zone,
	"cause" "log_gap_cause" NOT NULL,
	"detail" text,
	"noted_at" timestamp with time zone DEFAULT now() NOT NULL,
	"closed_at" timestamp with time zone,
	CONSTRAINT "log_gaps_log_partition_first_offset_pk" PRIMARY KEY("log","partition","first_offset")
);
--> statement-breakpoint
CREATE TABLE "log_positions" (
	"log" text NOT NULL,
	"partition" integer NOT NULL,
	"next" bigint NOT NULL,
	"epoch" integer DEFAULT 0 NOT NULL,
	"paused" boolean DEFAULT false NOT NULL,
	"at" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "log_positions_log_partition_pk" PRIMARY KEY("log","partition")
);
--> statement-breakpoint
CREATE INDEX "log_gaps_open" ON "log_gaps" USING btree ("noted_at") WHERE closed_at is null;
--> statement-breakpoint
-- What was never read may have been anybody's, so every reader is told of gaps; how far a log is read, only those who see everything.
DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['log_gaps', 'log_positions'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
		EXECUTE format('CREATE POLICY everything ON %I FOR SELECT TO trailjoin_reader_all USING (true)', name);
	END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT ON "log_gaps" TO trailjoin_reader, trailjoin_reader_all;
--> statement-breakpoint
GRANT SELECT ON "log_positions" TO trailjoin_reader_all;
--> statement-breakpoint
CREATE POLICY everybody ON "log_gaps" FOR SELECT TO trailjoin_reader USING (true);
