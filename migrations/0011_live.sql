CREATE TABLE "live_changes" (
	"oid" uuid NOT NULL,
	"tenant_id" uuid NOT NULL,
	"round" bigint NOT NULL,
	"from_ns" bigint NOT NULL,
	"to_ns" bigint NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "live_changes_oid_tenant_id_round_pk" PRIMARY KEY("oid","tenant_id","round")
);
--> statement-breakpoint
CREATE TABLE "live_departures" (
	"oid" uuid NOT NULL,
	"tenant_id" uuid NOT NULL,
	"round" bigint NOT NULL,
	"time_ns" bigint NOT NULL,
	"event_id" uuid NOT NULL,
	CONSTRAINT "live_departures_oid_tenant_id_round_time_ns_event_id_pk" PRIMARY KEY("oid","tenant_id","round","time_ns","event_id")
);
--> statement-breakpoint
ALTER TABLE "conclusions" ADD COLUMN "round" bigint;--> statement-breakpoint
CREATE INDEX "live_changes_at" ON "live_changes" USING btree ("at");--> statement-breakpoint
-- As timelines themselves (0006).
DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['live_changes', 'live_departures'] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
		EXECUTE format('GRANT SELECT ON %I TO trailjoin_reader, trailjoin_reader_all', name);
		EXECUTE format('CREATE POLICY everything ON %I FOR SELECT TO trailjoin_reader_all USING (true)', name);
		EXECUTE format('CREATE POLICY tenants ON %I FOR SELECT TO trailjoin_reader USING (tenant_id = ANY ((SELECT trailjoin_tenants())::uuid[]))', name);
	END LOOP;
END $$;
