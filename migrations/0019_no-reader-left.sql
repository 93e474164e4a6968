-- Findings read the sums of days (0014) and no longer ask events for the operator's own APIs and for static credentials.
DROP INDEX "events_api";--> statement-breakpoint
DROP INDEX "events_static";