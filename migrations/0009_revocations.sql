CREATE TABLE "revocations" (
	"tenant_id" uuid NOT NULL,
	"oid" uuid NOT NULL,
	"body" jsonb NOT NULL,
	CONSTRAINT "revocations_tenant_id_oid_pk" PRIMARY KEY("tenant_id","oid")
);
--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "issued_until_ns" bigint;
--> statement-breakpoint
ALTER TABLE "revocations" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT ON "revocations" TO trailjoin_reader, trailjoin_reader_all;
--> statement-breakpoint
CREATE POLICY everything ON "revocations" FOR SELECT TO trailjoin_reader_all USING (true);
--> statement-breakpoint
CREATE POLICY tenants ON "revocations" FOR SELECT TO trailjoin_reader USING (tenant_id = ANY ((SELECT trailjoin_tenants())::uuid[]));
