CREATE TABLE "live_rounds" (
	"round" bigint PRIMARY KEY NOT NULL,
	"mark" uuid DEFAULT gen_random_uuid() NOT NULL
);
--> statement-breakpoint
-- So that a position of now is known again before the next round.
INSERT INTO "live_rounds" ("round") SELECT "round" FROM "progress" WHERE "name" = 'conclusions';
--> statement-breakpoint
-- As progress (0006, 0013): how far conclusions have come, nothing about whom.
ALTER TABLE "live_rounds" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT ON "live_rounds" TO trailjoin_reader, trailjoin_reader_all;
--> statement-breakpoint
CREATE POLICY everything ON "live_rounds" FOR SELECT TO trailjoin_reader_all USING (true);
--> statement-breakpoint
CREATE POLICY tenants ON "live_rounds" FOR SELECT TO trailjoin_reader USING (true);
