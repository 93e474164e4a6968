ALTER TABLE "conclusions" ADD COLUMN "other_tenants" uuid[];--> statement-breakpoint
ALTER TABLE "source_status" ADD COLUMN "tenant_id" uuid;--> statement-breakpoint
UPDATE "conclusions" c SET "other_tenants" = o.tenants FROM (
	SELECT x.time_ns, x.event_id, array_agg(DISTINCT x.tenant_id ORDER BY x.tenant_id) AS tenants FROM (
		SELECT time_ns, event_id, tenant_id FROM "timeline"
		UNION ALL SELECT time_ns, event_id, tenant_id FROM "events" WHERE tenant_id IS NOT NULL
	) x JOIN "conclusions" k ON k.time_ns = x.time_ns AND k.event_id = x.event_id
	WHERE x.tenant_id <> '00000000-0000-0000-0000-000000000000' AND x.tenant_id IS DISTINCT FROM k.tenant_id
	GROUP BY x.time_ns, x.event_id
) o WHERE o.time_ns = c.time_ns AND o.event_id = c.event_id;
--> statement-breakpoint
-- Roles belong to the whole server, so another database of it may have them already, or may be making them at this moment.
DO $$
DECLARE
	reader text;
	how text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END;
	advice text := format('let an administrator of the server run: CREATE ROLE trailjoin_reader NOLOGIN; CREATE ROLE trailjoin_reader_all NOLOGIN; GRANT trailjoin_reader, trailjoin_reader_all TO %I%s; then migrate again', current_user, how);
BEGIN
	FOREACH reader IN ARRAY ARRAY['trailjoin_reader', 'trailjoin_reader_all'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
			BEGIN
				EXECUTE format('CREATE ROLE %I NOLOGIN', reader);
			EXCEPTION
				WHEN duplicate_object OR unique_violation THEN NULL;
				WHEN insufficient_privilege THEN RAISE EXCEPTION 'the role % is missing, and % may not create it: %', reader, current_user, advice;
			END;
		END IF;
		IF EXISTS (SELECT FROM pg_roles WHERE rolname = reader AND (rolsuper OR rolbypassrls)) THEN
			RAISE EXCEPTION 'the role % is a superuser or bypasses row-level security: it would see the records of every tenant', reader;
		END IF;
		-- Whoever made a role may give it away, but is no member of it yet; a superuser may take any.
		IF NOT pg_has_role(current_user, reader, CASE WHEN how = '' THEN 'MEMBER' ELSE 'SET' END) THEN
			BEGIN
				EXECUTE format('GRANT %I TO %I', reader, current_user) || how;
			EXCEPTION WHEN insufficient_privilege THEN
				RAISE EXCEPTION '% is no member of the role %: %', current_user, reader, advice;
			END;
		END IF;
	END LOOP;
	EXECUTE format('GRANT USAGE ON SCHEMA %I TO trailjoin_reader, trailjoin_reader_all', current_schema());
END $$;
--> statement-breakpoint
-- Without the setting: no tenant.
CREATE FUNCTION trailjoin_tenants() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT string_to_array(coalesce(current_setting('trailjoin.tenants', true), ''), ',')::uuid[];
	END;
--> statement-breakpoint
-- Both roles may read these and nothing else. Partitions are granted to nobody: they are read through their tables, whose policies hold then.
DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY[
		'timeline', 'traces', 'session_spans', 'usage_daily', 'findings', 'directory_facts', 'source_status', 'conclusions', 'events', 'heads', 'variants',
		'sessions', 'trace_ids', 'cursors', 'chunks', 'files', 'rejected', 'shapes', 'pending', 'progress'
	] LOOP
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
		EXECUTE format('GRANT SELECT ON %I TO trailjoin_reader, trailjoin_reader_all', name);
		EXECUTE format('CREATE POLICY everything ON %I FOR SELECT TO trailjoin_reader_all USING (true)', name);
	END LOOP;
	FOREACH name IN ARRAY ARRAY['timeline', 'traces', 'session_spans', 'usage_daily', 'findings', 'directory_facts', 'source_status'] LOOP
		-- The sub-select is computed once a query, not once a row.
		EXECUTE format('CREATE POLICY tenants ON %I FOR SELECT TO trailjoin_reader USING (tenant_id = ANY ((SELECT trailjoin_tenants())::uuid[]))', name);
	END LOOP;
	FOR name IN SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent IN ('timeline'::regclass, 'conclusions'::regclass, 'events'::regclass) LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
	END LOOP;
END $$;
--> statement-breakpoint
-- An event is seen by the tenant of its conclusion, of its record, and of every timeline that it stands in.
CREATE POLICY tenants ON "conclusions" FOR SELECT TO trailjoin_reader
	USING (tenant_id = ANY ((SELECT trailjoin_tenants())::uuid[]) OR other_tenants && (SELECT trailjoin_tenants()));
--> statement-breakpoint
-- Each of the following rests on the policy of the table that it asks.
CREATE POLICY tenants ON "events" FOR SELECT TO trailjoin_reader
	USING (EXISTS (SELECT FROM conclusions c WHERE c.time_ns = events.time_ns AND c.event_id = events.event_id));
--> statement-breakpoint
CREATE POLICY tenants ON "heads" FOR SELECT TO trailjoin_reader
	USING (EXISTS (SELECT FROM conclusions c WHERE c.time_ns = heads.time_ns AND c.event_id = heads.event_id));
--> statement-breakpoint
CREATE POLICY tenants ON "variants" FOR SELECT TO trailjoin_reader USING (EXISTS (SELECT FROM heads h WHERE h.event_id = variants.event_id));
--> statement-breakpoint
CREATE POLICY tenants ON "trace_ids" FOR SELECT TO trailjoin_reader USING (EXISTS (SELECT FROM heads h WHERE h.event_id = trace_ids.first_event));
--> statement-breakpoint
CREATE POLICY tenants ON "sessions" FOR SELECT TO trailjoin_reader USING (EXISTS (SELECT FROM session_spans s WHERE s.session_id = sessions.id));
--> statement-breakpoint
CREATE POLICY tenants ON "cursors" FOR SELECT TO trailjoin_reader
	USING (EXISTS (SELECT FROM source_status s WHERE s.source = cursors.source AND s.part = cursors.part));
--> statement-breakpoint
-- A block holds records of several tenants, a file's name says whose other records came with it: both are handed out only for an event that is seen.
-- Their tables have no policy for trailjoin_reader, which shows it no row of them. The functions run as the owner of the tables.
CREATE FUNCTION trailjoin_sees(event uuid) RETURNS boolean LANGUAGE sql STABLE
	BEGIN ATOMIC
		SELECT EXISTS (
			SELECT FROM heads h JOIN conclusions c ON c.time_ns = h.time_ns AND c.event_id = h.event_id
			WHERE h.event_id = event AND (c.tenant_id = ANY (trailjoin_tenants()) OR c.other_tenants && trailjoin_tenants())
		);
	END;
--> statement-breakpoint
CREATE FUNCTION trailjoin_chunk(event uuid, chunk bigint) RETURNS bytea LANGUAGE sql STABLE SECURITY DEFINER
	BEGIN ATOMIC
		SELECT k.body FROM chunks k WHERE k.id = chunk AND trailjoin_sees(event)
			AND EXISTS (SELECT FROM heads h WHERE h.event_id = event AND h.chunk_id = chunk UNION ALL SELECT FROM variants v WHERE v.event_id = event AND v.chunk_id = chunk);
	END;
--> statement-breakpoint
CREATE FUNCTION trailjoin_file(event uuid, file integer) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
	BEGIN ATOMIC
		SELECT f.name FROM files f WHERE f.id = file AND trailjoin_sees(event)
			AND EXISTS (SELECT FROM heads h WHERE h.event_id = event AND h.file_id = file UNION ALL SELECT FROM variants v WHERE v.event_id = event AND v.file_id = file);
	END;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION trailjoin_sees(uuid), trailjoin_chunk(uuid, bigint), trailjoin_file(uuid, integer) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION trailjoin_tenants(), trailjoin_chunk(uuid, bigint), trailjoin_file(uuid, integer) TO trailjoin_reader, trailjoin_reader_all;
