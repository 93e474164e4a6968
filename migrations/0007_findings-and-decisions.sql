CREATE TABLE "finding_changes" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "finding_changes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"finding_id" uuid NOT NULL,
	"change" text NOT NULL,
	"body" jsonb NOT NULL,
	"changed_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "finding_decisions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "finding_decisions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"finding_id" uuid NOT NULL,
	"tenant_id" uuid,
	"acknowledged" boolean NOT NULL,
	"reason" text,
	"by" text NOT NULL,
	"by_name" text,
	"decided_at" timestamp with time zone NOT NULL,
	"evidence_hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "webhook_outbox" (
	"webhook" text NOT NULL,
	"change_id" bigint NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp with time zone NOT NULL,
	"failed_at" timestamp with time zone,
	"last_error" text,
	CONSTRAINT "webhook_outbox_webhook_change_id_pk" PRIMARY KEY("webhook","change_id")
);
--> statement-breakpoint
CREATE TABLE "webhook_positions" (
	"webhook" text PRIMARY KEY NOT NULL,
	"change_id" bigint NOT NULL
);
--> statement-breakpoint
DROP INDEX "events_gcp_unproven";--> statement-breakpoint
DROP INDEX "events_findings";--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "credential_type" text;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "audience" text;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "invoked_by" text;--> statement-breakpoint
ALTER TABLE "findings" ADD COLUMN "details" jsonb;--> statement-breakpoint
ALTER TABLE "findings" ADD COLUMN "evidence_hash" text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX "finding_decisions_finding" ON "finding_decisions" USING btree ("finding_id","id");--> statement-breakpoint
CREATE INDEX "webhook_outbox_due" ON "webhook_outbox" USING btree ("next_at");--> statement-breakpoint
CREATE INDEX "events_static" ON "events" USING btree ("time_ns") WHERE (credential_type = 'clientsecret' and kind = 'token.issued' or credential_type in ('iam-user', 'root', 'bedrock-api-key') and kind = 'llm.invoked' or credential_type = 'service-account-key');--> statement-breakpoint
CREATE INDEX "events_findings" ON "events" USING btree ("kind","outcome","time_ns") WHERE kind in ('token.exchanged', 'trust.changed') or kind = 'llm.invoked' and outcome = 'failure';
--> statement-breakpoint
-- Findings are computed again, with their details and the hash of what they rest on.
DELETE FROM "progress" WHERE "name" = 'findings';
--> statement-breakpoint
-- As findings themselves (0006). Decisions are written by the role that the API logs in as; webhooks are told by the owner of the tables.
ALTER TABLE "finding_decisions" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT ON "finding_decisions" TO trailjoin_reader, trailjoin_reader_all;
--> statement-breakpoint
CREATE POLICY everything ON "finding_decisions" FOR SELECT TO trailjoin_reader_all USING (true);
--> statement-breakpoint
CREATE POLICY tenants ON "finding_decisions" FOR SELECT TO trailjoin_reader USING (tenant_id = ANY ((SELECT trailjoin_tenants())::uuid[]));
