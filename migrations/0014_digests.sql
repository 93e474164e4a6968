CREATE TABLE "digest_days" (
	"day" integer PRIMARY KEY NOT NULL,
	"round" bigint NOT NULL,
	"version" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "digests" (
	"topic" text NOT NULL,
	"key" uuid NOT NULL,
	"day" integer NOT NULL,
	"profile" jsonb NOT NULL,
	"events" bigint NOT NULL,
	"first_ns" bigint NOT NULL,
	"last_ns" bigint NOT NULL,
	"times" bigint[],
	"ids" uuid[],
	CONSTRAINT "digests_topic_key_day_pk" PRIMARY KEY("topic","key","day")
);
--> statement-breakpoint
CREATE TABLE "touched_days" (
	"day" integer PRIMARY KEY NOT NULL,
	"round" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "digests_day" ON "digests" USING btree ("day");