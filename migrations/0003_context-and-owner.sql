CREATE TABLE "findings" (
	"id" uuid PRIMARY KEY NOT NULL,
	"rule" text NOT NULL,
	"severity" text NOT NULL,
	"confidence" "confidence" NOT NULL,
	"title" text NOT NULL,
	"tenant_id" uuid,
	"oids" uuid[] NOT NULL,
	"evidence" uuid[] NOT NULL,
	"first_ns" bigint NOT NULL,
	"last_ns" bigint NOT NULL,
	"explanation" text NOT NULL,
	"remediation" text NOT NULL,
	"content_hash" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "conclusions" ADD COLUMN "owner_tenant" uuid;--> statement-breakpoint
ALTER TABLE "heads" ADD COLUMN "context_tenant" uuid;--> statement-breakpoint
CREATE INDEX "findings_last" ON "findings" USING btree ("last_ns","id");--> statement-breakpoint
CREATE INDEX "findings_oids" ON "findings" USING gin ("oids");--> statement-breakpoint
CREATE INDEX "events_findings" ON "events" USING btree ("kind","outcome","time_ns") WHERE "events"."kind" in ('token.exchanged', 'trust.changed', 'llm.invoked');--> statement-breakpoint
CREATE INDEX "events_issued" ON "events" USING btree ("tenant_id","action","outcome","time_ns") WHERE "events"."kind" = 'token.issued';--> statement-breakpoint
CREATE INDEX "events_api" ON "events" USING btree ("tenant_id","resource","proof_app_id") WHERE "events"."source" = 'app';--> statement-breakpoint
CREATE INDEX "events_watched" ON "events" USING btree ("time_ns") WHERE kind in ('other', 'trust.changed') and action ~* '^(bedrock|bedrock-mantle|aiplatform\.googleapis\.com):(List|Get)|^bedrock:(Put|Delete)Model|^cloudtrail:(Stop|Delete|Update|Put)|^logging\.googleapis\.com:|:SetIam(Policy|Permissions)$';--> statement-breakpoint
CREATE INDEX "events_gcp_unproven" ON "events" USING btree ("principal") WHERE "events"."source" = 'gcp' and "events"."proof" = 'nothing';