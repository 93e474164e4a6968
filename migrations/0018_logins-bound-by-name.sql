-- The setting trailjoin.tenants is anybody's to change, so it counts only for whoever took the role trailjoin_reader (SET ROLE, as the API does), and what the login's row of login_tenants leaves of it. Whoever was
-- granted the role to inherit (WITH INHERIT TRUE, SET FALSE: logins whose users write SQL) sees what the row says: no row, no rows.
-- current_user, because parallel workers know it; the setting `role` inside of functions that run as the owner, where current_user is the owner (those are never run in workers).
CREATE OR REPLACE FUNCTION trailjoin_tenants() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN current_user = 'trailjoin_reader' OR current_setting('role') = 'trailjoin_reader' THEN (
			SELECT array_agg(t.tenant) FROM unnest(string_to_array(coalesce(current_setting('trailjoin.tenants', true), ''), ',')::uuid[]) AS t (tenant)
				WHERE NOT EXISTS (SELECT FROM login_tenants b WHERE b.login = session_user AND (t.tenant = ANY (b.tenants)) IS NOT TRUE)
		) ELSE (SELECT b.tenants FROM login_tenants b WHERE b.login = session_user) END;
	END;
--> statement-breakpoint
-- A block holds the texts of other tenants' records, too, and reading one goes on record in the API only: both are for who took a role, not for who inherits it.
CREATE OR REPLACE FUNCTION trailjoin_chunk(event uuid, chunk bigint) RETURNS bytea LANGUAGE sql STABLE SECURITY DEFINER
	BEGIN ATOMIC
		SELECT k.body FROM chunks k WHERE k.id = chunk AND current_setting('role') IN ('trailjoin_reader', 'trailjoin_reader_all') AND trailjoin_sees(event)
			AND EXISTS (SELECT FROM heads h WHERE h.event_id = event AND h.chunk_id = chunk UNION ALL SELECT FROM variants v WHERE v.event_id = event AND v.chunk_id = chunk);
	END;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION trailjoin_file(event uuid, file integer) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
	BEGIN ATOMIC
		SELECT f.name FROM files f WHERE f.id = file AND current_setting('role') IN ('trailjoin_reader', 'trailjoin_reader_all') AND trailjoin_sees(event)
			AND EXISTS (SELECT FROM heads h WHERE h.event_id = event AND h.file_id = file UNION ALL SELECT FROM variants v WHERE v.event_id = event AND v.file_id = file);
	END;
--> statement-breakpoint
ALTER POLICY everything ON "chunks" USING (current_user = 'trailjoin_reader_all');
--> statement-breakpoint
ALTER POLICY everything ON "rejected" USING (current_user = 'trailjoin_reader_all');
