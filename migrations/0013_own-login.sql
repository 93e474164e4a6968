-- For an API with a login of its own (docs/operators/access.md). Rounds say how far conclusions have come, nothing about whom: live timelines of every reader go by them.
CREATE POLICY tenants ON "progress" FOR SELECT TO trailjoin_reader USING (true);
--> statement-breakpoint
-- Who may add decisions is said by grants; which findings they may decide about was asked under the policies of findings.
CREATE POLICY decide ON "finding_decisions" FOR INSERT WITH CHECK (true);
