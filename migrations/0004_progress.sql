CREATE TABLE "progress" (
	"name" text PRIMARY KEY NOT NULL,
	"round" bigint NOT NULL
);
