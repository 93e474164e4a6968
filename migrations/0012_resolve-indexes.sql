CREATE INDEX "events_native_id" ON "events" USING hash ("native_id");--> statement-breakpoint
CREATE INDEX "events_request_id" ON "events" USING hash ("request_id");--> statement-breakpoint
CREATE INDEX "events_principal" ON "events" USING btree ("principal" text_pattern_ops) WHERE length(principal) <= 512;--> statement-breakpoint
CREATE INDEX "events_source_ip" ON "events" USING btree ("source_ip") WHERE length(source_ip) <= 512;--> statement-breakpoint
CREATE INDEX "events_resource" ON "events" USING btree ("resource") WHERE length(resource) <= 512 and kind in ('token.exchanged', 'credential.minted', 'identity.changed', 'trust.changed');