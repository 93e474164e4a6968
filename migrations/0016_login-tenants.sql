CREATE TABLE "login_tenants" (
	"login" text PRIMARY KEY NOT NULL,
	"tenants" uuid[] NOT NULL
);
--> statement-breakpoint
-- The setting trailjoin.tenants is anybody's to change, so it binds the API, which writes its queries itself, and nobody who may write SQL. The name that somebody logged in by cannot be changed.
ALTER TABLE "login_tenants" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT ON "login_tenants" TO trailjoin_reader, trailjoin_reader_all;
--> statement-breakpoint
CREATE POLICY own ON "login_tenants" FOR SELECT TO trailjoin_reader, trailjoin_reader_all USING (login = session_user);
--> statement-breakpoint
CREATE OR REPLACE FUNCTION trailjoin_tenants() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT coalesce(
			(SELECT b.tenants FROM login_tenants b WHERE b.login = session_user),
			string_to_array(coalesce(current_setting('trailjoin.tenants', true), ''), ',')::uuid[]
		);
	END;
