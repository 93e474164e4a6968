-- The report what-if counts calls by their events: as the rows that they add to (0006).
ALTER TABLE "usage_parts" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT ON "usage_parts" TO trailjoin_reader, trailjoin_reader_all;
--> statement-breakpoint
CREATE POLICY everything ON "usage_parts" FOR SELECT TO trailjoin_reader_all USING (true);
--> statement-breakpoint
CREATE POLICY tenants ON "usage_parts" FOR SELECT TO trailjoin_reader USING (EXISTS (SELECT FROM usage_daily u WHERE u.id = usage_parts.row_id));
