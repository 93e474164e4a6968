CREATE TABLE "cursors" (
	"source" text NOT NULL,
	"part" text NOT NULL,
	"cursor" jsonb NOT NULL,
	"watermark_ns" bigint,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "cursors_source_part_pk" PRIMARY KEY("source","part")
);
--> statement-breakpoint
CREATE TABLE "source_status" (
	"source" text NOT NULL,
	"part" text NOT NULL,
	"kind" text NOT NULL,
	"last_success_at" timestamp with time zone,
	"last_error_at" timestamp with time zone,
	"last_error_code" text,
	"last_error" text,
	"failures" integer DEFAULT 0 NOT NULL,
	"records" bigint DEFAULT 0 NOT NULL,
	"stored" bigint DEFAULT 0 NOT NULL,
	"duplicates" bigint DEFAULT 0 NOT NULL,
	"rejected" bigint DEFAULT 0 NOT NULL,
	"gaps" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "source_status_source_part_pk" PRIMARY KEY("source","part")
);
