CREATE TABLE "access_log" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "access_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"request_id" uuid NOT NULL,
	"phase" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"caller" text NOT NULL,
	"caller_name" text,
	"tenants" uuid[],
	"method" text NOT NULL,
	"route" text NOT NULL,
	"target" text,
	"filters" jsonb NOT NULL,
	"status" smallint,
	"rows" bigint,
	"cut" boolean NOT NULL,
	"address" text
);
--> statement-breakpoint
CREATE TABLE "api_tokens" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"prefix" text NOT NULL,
	"roles" text[] NOT NULL,
	"tenants" uuid[],
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone,
	"last_used_at" timestamp with time zone,
	CONSTRAINT "api_tokens_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE INDEX "access_log_caller" ON "access_log" USING btree ("caller","id");--> statement-breakpoint
CREATE INDEX "access_log_target" ON "access_log" USING btree ("target","id") WHERE "access_log"."target" is not null;--> statement-breakpoint
CREATE INDEX "access_log_ended" ON "access_log" USING btree ("request_id") WHERE "access_log"."phase" = 'end';--> statement-breakpoint
-- Append-only, for whoever writes to it: not even the owner changes or deletes a row by mistake, or by a statement smuggled in. Only an owner who first takes the
-- trigger away (ALTER TABLE … DISABLE TRIGGER, which is visible) can.
CREATE FUNCTION trailjoin_append_only() RETURNS trigger LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'access_log takes new rows only' USING ERRCODE = 'insufficient_privilege'; END $$;
--> statement-breakpoint
CREATE TRIGGER access_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON "access_log" FOR EACH STATEMENT EXECUTE FUNCTION trailjoin_append_only();
