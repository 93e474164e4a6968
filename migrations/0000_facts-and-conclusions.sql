CREATE TYPE "public"."confidence" AS ENUM('exact', 'derived', 'probable', 'asserted', 'ambiguous', 'none');--> statement-breakpoint
CREATE TYPE "public"."kind" AS ENUM('token.issued', 'token.exchanged', 'credential.minted', 'llm.invoked', 'llm.metered', 'api.called', 'identity.changed', 'trust.changed', 'other');--> statement-breakpoint
CREATE TYPE "public"."link" AS ENUM('exact', 'time');--> statement-breakpoint
CREATE TYPE "public"."outcome" AS ENUM('success', 'failure');--> statement-breakpoint
CREATE TYPE "public"."role" AS ENUM('actor', 'candidate', 'target');--> statement-breakpoint
CREATE TYPE "public"."source" AS ENUM('entra', 'aws', 'gcp', 'app');--> statement-breakpoint
CREATE TABLE "chunks" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "chunks_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"records" smallint NOT NULL,
	"raw_bytes" integer NOT NULL,
	"body" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "conclusions" (
	"time_ns" bigint NOT NULL,
	"event_id" uuid NOT NULL,
	"tenant_id" uuid,
	"subject_oid" uuid,
	"agent_oid" uuid,
	"on_behalf_of" uuid,
	"confidence" "confidence" NOT NULL,
	"basis" text[] NOT NULL,
	"candidates" uuid[] NOT NULL,
	"evidence" uuid[] NOT NULL,
	"session_id" uuid,
	"parent_id" uuid,
	"link" "link",
	CONSTRAINT "conclusions_time_ns_event_id_pk" PRIMARY KEY("time_ns","event_id")
) PARTITION BY RANGE ("time_ns");--> statement-breakpoint
-- Months are added on demand (database/partitions.ts); times outside of 2018 to 2035 land here.
CREATE TABLE "conclusions_other" PARTITION OF "conclusions" DEFAULT;
--> statement-breakpoint
CREATE TABLE "directory_facts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"body" jsonb NOT NULL,
	"first_ns" bigint NOT NULL,
	"first_event" uuid NOT NULL,
	"last_ns" bigint NOT NULL,
	"last_event" uuid NOT NULL,
	"derived" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "events" (
	"time_ns" bigint NOT NULL,
	"event_id" uuid NOT NULL,
	"delivered_ns" bigint,
	"ingested_at" timestamp with time zone NOT NULL,
	"native_id" text NOT NULL,
	"source" "source" NOT NULL,
	"kind" "kind" NOT NULL,
	"action" text NOT NULL,
	"outcome" "outcome" NOT NULL,
	"error_code" text,
	"error_message" text,
	"tenant_id" uuid,
	"proof" text NOT NULL,
	"proof_oid" uuid,
	"proof_app_id" uuid,
	"proof_kind" text,
	"proof_subject" text,
	"proof_entra" boolean,
	"pool" text,
	"on_behalf_of" uuid,
	"targets" uuid[],
	"uses" text,
	"issues" text,
	"request_key" text,
	"near_key" text,
	"token_id" text,
	"asserted" text[],
	"account" text,
	"region" text,
	"principal" text,
	"resource" text,
	"model_id" text,
	"model_name" text,
	"model_provider" text,
	"input_tokens" bigint,
	"output_tokens" bigint,
	"cache_read_tokens" bigint,
	"cache_write_tokens" bigint,
	"source_ip" text,
	"user_agent" text,
	"request_id" text,
	"shape_id" integer,
	CONSTRAINT "events_time_ns_event_id_pk" PRIMARY KEY("time_ns","event_id")
) PARTITION BY RANGE ("time_ns");--> statement-breakpoint
-- Months are added on demand (database/partitions.ts); times outside of 2018 to 2035 land here.
CREATE TABLE "events_other" PARTITION OF "events" DEFAULT;
--> statement-breakpoint
CREATE TABLE "files" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "files_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	CONSTRAINT "files_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "heads" (
	"event_id" uuid PRIMARY KEY NOT NULL,
	"time_ns" bigint NOT NULL,
	"format" text NOT NULL,
	"rank" smallint NOT NULL,
	"sha256" "bytea" NOT NULL,
	"chunk_id" bigint NOT NULL,
	"slot" smallint NOT NULL,
	"file_id" integer NOT NULL,
	"line" integer,
	"masked" text[]
);
--> statement-breakpoint
CREATE TABLE "pending" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pending_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"times" bigint[] NOT NULL,
	"event_ids" uuid[] NOT NULL,
	"keys" text[] NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rejected" (
	"id" uuid PRIMARY KEY NOT NULL,
	"file_id" integer NOT NULL,
	"line" integer,
	"index" integer NOT NULL,
	"reason" text NOT NULL,
	"text" text NOT NULL,
	"rejected_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "session_spans" (
	"session_id" uuid NOT NULL,
	"tenant_id" uuid NOT NULL,
	"owner_oid" uuid NOT NULL,
	"start_ns" bigint NOT NULL,
	"end_ns" bigint NOT NULL,
	CONSTRAINT "session_spans_session_id_tenant_id_owner_oid_pk" PRIMARY KEY("session_id","tenant_id","owner_oid")
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"cloud" "source" NOT NULL,
	"key" text NOT NULL,
	"root_event" uuid,
	"resolved" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "shapes" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "shapes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"format" text NOT NULL,
	"unmapped" text[] NOT NULL,
	"example_event" uuid NOT NULL,
	CONSTRAINT "shapes_format_unmapped" UNIQUE("format","unmapped")
);
--> statement-breakpoint
CREATE TABLE "timeline" (
	"tenant_id" uuid NOT NULL,
	"oid" uuid NOT NULL,
	"time_ns" bigint NOT NULL,
	"event_id" uuid NOT NULL,
	"role" "role" NOT NULL,
	"source" "source" NOT NULL,
	"kind" "kind" NOT NULL,
	"is_subject" boolean NOT NULL,
	"is_owner" boolean NOT NULL,
	CONSTRAINT "timeline_tenant_id_oid_time_ns_event_id_pk" PRIMARY KEY("tenant_id","oid","time_ns","event_id")
) PARTITION BY RANGE ("time_ns");--> statement-breakpoint
-- Months are added on demand (database/partitions.ts); times outside of 2018 to 2035 land here.
CREATE TABLE "timeline_other" PARTITION OF "timeline" DEFAULT;
--> statement-breakpoint
CREATE TABLE "trace_ids" (
	"id" uuid PRIMARY KEY NOT NULL,
	"first_event" uuid NOT NULL
);
--> statement-breakpoint
CREATE TABLE "traces" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"owner_oid" uuid NOT NULL,
	"start_ns" bigint NOT NULL,
	"end_ns" bigint NOT NULL,
	"first_event" uuid NOT NULL
);
--> statement-breakpoint
CREATE TABLE "variants" (
	"event_id" uuid NOT NULL,
	"sha256" "bytea" NOT NULL,
	"time_ns" bigint NOT NULL,
	"format" text NOT NULL,
	"rank" smallint NOT NULL,
	"chunk_id" bigint NOT NULL,
	"slot" smallint NOT NULL,
	"file_id" integer NOT NULL,
	"line" integer,
	"masked" text[],
	CONSTRAINT "variants_event_id_sha256_pk" PRIMARY KEY("event_id","sha256")
);
--> statement-breakpoint
CREATE TABLE "waiting" (
	"key" uuid NOT NULL,
	"time_ns" bigint NOT NULL,
	"event_id" uuid NOT NULL,
	CONSTRAINT "waiting_key_time_ns_event_id_pk" PRIMARY KEY("key","time_ns","event_id")
);
--> statement-breakpoint
CREATE INDEX "directory_facts_tenant" ON "directory_facts" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "directory_facts_new" ON "directory_facts" USING btree ("id") WHERE not "directory_facts"."derived";--> statement-breakpoint
CREATE INDEX "events_uses" ON "events" USING btree ("uses","time_ns") WHERE "events"."uses" is not null;--> statement-breakpoint
CREATE INDEX "events_issues" ON "events" USING btree ("issues") WHERE "events"."issues" is not null;--> statement-breakpoint
CREATE INDEX "events_request_key" ON "events" USING btree ("request_key") WHERE "events"."request_key" is not null;--> statement-breakpoint
CREATE INDEX "events_pool" ON "events" USING btree ("pool" text_pattern_ops) WHERE "events"."pool" is not null;--> statement-breakpoint
CREATE INDEX "events_token_id" ON "events" USING btree ("token_id") WHERE "events"."token_id" is not null;--> statement-breakpoint
CREATE INDEX "events_near_key" ON "events" USING btree ("near_key","time_ns") WHERE "events"."near_key" is not null;--> statement-breakpoint
CREATE INDEX "session_spans_owner" ON "session_spans" USING btree ("tenant_id","owner_oid","start_ns");--> statement-breakpoint
CREATE INDEX "traces_owner" ON "traces" USING btree ("tenant_id","owner_oid","end_ns");--> statement-breakpoint
CREATE INDEX "waiting_event" ON "waiting" USING btree ("time_ns","event_id");--> statement-breakpoint
ALTER TABLE "chunks" ALTER COLUMN "body" SET STORAGE EXTERNAL;
