BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE approvals (
	operation TEXT NOT NULL, 
	approver TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	actor JSON NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (operation, approver), 
	FOREIGN KEY(operation) REFERENCES operations (id)
);
INSERT INTO "approvals" VALUES('m9p1znn2kn','slack:U0BEN','50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37','{"id": "slack:U0BEN", "name": "Ben Brooks", "roles": ["sre-oncall"], "active": true, "zone": "America/New_York"}','2026-11-21 09:24:11.670416');
CREATE TABLE audit (
	seq INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	event TEXT NOT NULL, 
	operation TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	body TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (hash)
);
INSERT INTO "audit" VALUES(1,'2026-11-21 09:18:53.466800','asked','m9p1znn2kn','slack:U0ANA','{"actor":"slack:U0ANA","at":"2026-11-21T09:18:53.466800+00:00","body":{"door":"slack","target":"ai-square/prod/backend","text":"rollback backend"},"event":"asked","operation":"m9p1znn2kn","seq":1}','00a9beecde32f080ed94dd4973a08046b06165ecf2cd2946050525d045dec0da');
INSERT INTO "audit" VALUES(2,'2026-11-21 09:19:19.258350','asked','taphhgwvzc','slack:U0ANA','{"actor":"slack:U0ANA","at":"2026-11-21T09:19:19.258350+00:00","body":{"door":"slack","target":"ai-square/prod/frontend","text":"rollback frontend"},"event":"asked","operation":"taphhgwvzc","seq":2}','3f83dd9e131bd064c96a1eae3a062e1c46e60241315577407c9568cece4cd168');
INSERT INTO "audit" VALUES(3,'2026-11-21 09:22:14.301599','waiting','taphhgwvzc','aisq','{"actor":"aisq","at":"2026-11-21T09:22:14.301599+00:00","body":{"detail":"ai-square/prod/frontend: all traffic to frontend-00023-tob, away from frontend-00024-bad 100 %","digest":"72b668515fb1b7f87fa6de06655484cf82a1e05cb57b497186c63ec9e061c14c","needs":1,"permitted_by":"grant.prod.rollout","target":"ai-square/prod/frontend"},"event":"waiting","operation":"taphhgwvzc","seq":3}','39fdacc0c1b05fe60e4849d852494f0c6fea98127e5d4a6ea83210d97183ce1f');
INSERT INTO "audit" VALUES(4,'2026-11-21 09:22:37.364519','waiting','m9p1znn2kn','aisq','{"actor":"aisq","at":"2026-11-21T09:22:37.364519+00:00","body":{"detail":"ai-square/prod/backend: all traffic to backend-00041-kex, away from backend-00042-bad 100 %","digest":"50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37","needs":1,"permitted_by":"grant.prod.rollout","target":"ai-square/prod/backend"},"event":"waiting","operation":"m9p1znn2kn","seq":4}','010f6b923d87b1b8a86d9aadb889b49f4f338c9c1ef86bc4e90aa3a4c6e1f8b4');
INSERT INTO "audit" VALUES(5,'2026-11-21 09:23:38.086727','asked','43dxtmpesz','slack:U0BEN','{"actor":"slack:U0BEN","at":"2026-11-21T09:23:38.086727+00:00","body":{"door":"slack","target":"ai-square/prod/backend","text":"approve m9p1znn2kn --digest 50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37"},"event":"asked","operation":"43dxtmpesz","seq":5}','48df6685fc8375768f07ffc900e7b148c5ed01226ae29fb5af6ff4c14512c777');
INSERT INTO "audit" VALUES(6,'2026-11-21 09:24:15.943926','approved','m9p1znn2kn','slack:U0BEN','{"actor":"slack:U0BEN","at":"2026-11-21T09:24:15.943926+00:00","body":{"digest":"50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37","target":"ai-square/prod/backend"},"event":"approved","operation":"m9p1znn2kn","seq":6}','dd17d2a0b25f8a019ae9f4c30b466b772c40d3f9738bbbc86a53a823e7d7dc05');
INSERT INTO "audit" VALUES(7,'2026-11-21 09:24:25.442594','queued','m9p1znn2kn','slack:U0BEN','{"actor":"slack:U0BEN","at":"2026-11-21T09:24:25.442594+00:00","body":{"detail":"approved by Ben Brooks","target":"ai-square/prod/backend"},"event":"queued","operation":"m9p1znn2kn","seq":7}','8aff09a8271684b0151974eb4e64404e9266eab0122a83c019df545276b42dbb');
INSERT INTO "audit" VALUES(8,'2026-11-21 09:24:33.507245','answered','43dxtmpesz','aisq','{"actor":"aisq","at":"2026-11-21T09:24:33.507245+00:00","body":{"detail":"","digest":"","needs":0,"permitted_by":"","target":"ai-square/prod/backend"},"event":"answered","operation":"43dxtmpesz","seq":8}','764c68ffe1ebc78f80677cdfe0a28e5b1ffbb2c75256289320bd73f1fa2051a2');
INSERT INTO "audit" VALUES(9,'2026-11-21 09:27:18.285001','running','m9p1znn2kn','aisq','{"actor":"aisq","at":"2026-11-21T09:27:18.285001+00:00","body":{"detail":"in progress","target":"ai-square/prod/backend"},"event":"running","operation":"m9p1znn2kn","seq":9}','1bcdc84c257569a57428c54ea189b782129a5cf72b722ef96f1074114a85ccfc');
INSERT INTO "audit" VALUES(10,'2026-11-21 09:28:12.619475','writing','m9p1znn2kn','aisq','{"actor":"aisq","at":"2026-11-21T09:28:12.619475+00:00","body":{"key":"m9p1znn2kn/0/do","target":"ai-square/prod/backend","verb":"Compute.set_traffic","version":"42"},"event":"writing","operation":"m9p1znn2kn","seq":10}','0897900fda95ca37d457f32481ab6ca71e2b23aaf0d994b7cbedd4db6c88c47b');
CREATE TABLE audit_ends (
	name TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "audit_ends" VALUES('head',10,'0897900fda95ca37d457f32481ab6ca71e2b23aaf0d994b7cbedd4db6c88c47b');
INSERT INTO "audit_ends" VALUES('root',0,'0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE effects (
	"key" TEXT NOT NULL, 
	operation TEXT NOT NULL, 
	call JSON NOT NULL, 
	version_before TEXT NOT NULL, 
	cloud_operation TEXT NOT NULL, 
	ending TEXT, 
	version_after TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY ("key"), 
	FOREIGN KEY(operation) REFERENCES operations (id)
);
INSERT INTO "effects" VALUES('m9p1znn2kn/0/do','m9p1znn2kn','{"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "traffic": {"backend-00041-kex": 100}}, "title": "send all traffic to backend-00041-kex", "deadline_s": 0, "if_broken": "undo"}','42','',NULL,'','','2026-11-21 09:28:12.559250');
CREATE TABLE heard (
	heard_as TEXT NOT NULL, 
	signature TEXT, 
	operation TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (heard_as), 
	UNIQUE (signature)
);
INSERT INTO "heard" VALUES('slack:command:00000001.1795250778.9d542a27c6af3b5aa37b5448b1a4aed5','v0=6ebc2747ab342bceb522eeb6bbe354f5df5296fcd0838fd1166e66ce9f415cdc','m9p1znn2kn','2026-11-21 09:18:51.576880');
INSERT INTO "heard" VALUES('slack:command:00000002.1795250779.38e5a72f3fb508f0c733e0ef1e1c8636','v0=11600aca46068b25408baa234d34f50c950bd27e885f1df6263adf78810cff34','taphhgwvzc','2026-11-21 09:19:12.044996');
INSERT INTO "heard" VALUES('slack:click:1795250780.114980:1795250780.167224:U0BEN:aisq.approve','v0=f79568bc43367161ad0d3bcce44dc1bf81634ad4b340f9a0a717650084c5c18c','43dxtmpesz','2026-11-21 09:23:33.917716');
CREATE TABLE leases (
	executor TEXT NOT NULL, 
	beat_s DOUBLE NOT NULL, 
	host TEXT NOT NULL, 
	PRIMARY KEY (executor)
);
INSERT INTO "leases" VALUES('019eb6ba463f4c15876b26a3b1c50813',1.79525078098299789423e+09,'vm');
CREATE TABLE messages (
	operation TEXT NOT NULL, 
	place JSON NOT NULL, 
	shown INTEGER NOT NULL, 
	tried_at DATETIME, 
	PRIMARY KEY (operation), 
	FOREIGN KEY(operation) REFERENCES operations (id)
);
INSERT INTO "messages" VALUES('taphhgwvzc','{"channel": "C0AISQ", "ts": "1795250780.071599"}',2,NULL);
INSERT INTO "messages" VALUES('m9p1znn2kn','{"channel": "C0AISQ", "ts": "1795250780.114980"}',6,NULL);
INSERT INTO "messages" VALUES('43dxtmpesz','{}',2,NULL);
CREATE TABLE mutexes (
	target TEXT NOT NULL, 
	holder TEXT, 
	owner TEXT NOT NULL, 
	token INTEGER NOT NULL, 
	PRIMARY KEY (target)
);
INSERT INTO "mutexes" VALUES('ai-square/prod/backend','m9p1znn2kn','019eb6ba463f4c15876b26a3b1c50813',1);
CREATE TABLE operations (
	id TEXT NOT NULL, 
	request JSON NOT NULL, 
	operation TEXT NOT NULL, 
	verb TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	target TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	state TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	detail TEXT NOT NULL, 
	"plan" JSON, 
	digest TEXT NOT NULL, 
	approvals_needed INTEGER NOT NULL, 
	permitted_by TEXT NOT NULL, 
	expires_at DATETIME, 
	applied_at DATETIME, 
	cancel_by TEXT NOT NULL, 
	doing INTEGER NOT NULL, 
	judged TEXT NOT NULL, 
	judgement TEXT NOT NULL, 
	answer JSON, 
	PRIMARY KEY (id)
);
INSERT INTO "operations" VALUES('m9p1znn2kn','{"id": "m9p1znn2kn", "actor": {"id": "slack:U0ANA", "name": "Ana Alvarez", "roles": ["sre-oncall"], "active": true, "zone": "Europe/Berlin"}, "operation": "rollback", "verb": "plan", "params": {"service": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}}, "target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "text": "rollback backend", "address": {"door": "slack", "place": {"channel": "C0AISQ", "user": "U0ANA", "team": "T0AISQ", "response_url": "http://127.0.0.1:45527/hooks/ca8a3d1dabf770a6a8526214"}}, "channel": "C0AISQ", "received_at": "2026-11-21T09:18:48.744539Z"}','rollback','plan','slack:U0ANA','ai-square/prod/backend','2026-11-21 09:18:51.576880','2026-11-21 09:28:12.559250','running',6,'in progress','{"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "version": "42", "summary": "ai-square/prod/backend: all traffic to backend-00041-kex, away from backend-00042-bad 100 %", "steps": [{"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "traffic": {"backend-00041-kex": 100}}, "title": "send all traffic to backend-00041-kex", "undo": {"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "traffic": {"backend-00042-bad": 100}}, "title": "", "undo": null, "deadline_s": 0, "if_broken": "undo"}, "deadline_s": 0, "if_broken": "undo"}, {"kind": "check", "verb": "serving", "args": {"traffic": {"backend-00041-kex": 100}}, "title": "see that it serves", "undo": null, "deadline_s": 120, "if_broken": "report"}], "afterwards": [{"kind": "judge", "verb": "errors", "args": {}, "title": "compare errors before and after", "undo": null, "deadline_s": 1200, "if_broken": "undo"}], "verdict": {"findings": [{"level": "good", "subject": "image", "sentence": "image sha256:24302b5749ed is in the registry", "unread": false}, {"level": "good", "subject": "secrets", "sentence": "secret database-url version 4 is enabled", "unread": false}, {"level": "good", "subject": "secrets", "sentence": "secret jwt-signing-key version 2 is enabled", "unread": false}, {"level": "good", "subject": "capacity", "sentence": "up to 100 instances, no fewer than now", "unread": false}, {"level": "good", "subject": "health", "sentence": "backend-00041-kex served all traffic until 2026-11-21 08:53 UTC with 0.04 % errors in 2,573,743 requests", "unread": false}]}, "hold": {"traffic": {"backend-00041-kex": 100}, "away_from": ["backend-00042-bad"]}, "lets_go": false, "notes": ["Traffic then stays at backend-00041-kex: new releases get none until `unpin ai-square/prod/backend`."], "by_hand": ["gcloud run services update-traffic backend --to-revisions=backend-00041-kex=100 --region=us-central1 --project=ai-square-prod"], "undo_by_hand": ["gcloud run services update-traffic backend --to-revisions=backend-00042-bad=100 --region=us-central1 --project=ai-square-prod"], "chosen": {"to": "backend-00041-kex"}, "facts": {"traffic": {"backend-00042-bad": 100}, "traffic_moved_pct": 100}, "measured": {"error_rate_pct": 8.432760364004045}, "why": ""}','50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37',1,'grant.prod.rollout','2026-11-22 09:22:32.821358',NULL,'',1,'','',NULL);
INSERT INTO "operations" VALUES('taphhgwvzc','{"id": "taphhgwvzc", "actor": {"id": "slack:U0ANA", "name": "Ana Alvarez", "roles": ["sre-oncall"], "active": true, "zone": "Europe/Berlin"}, "operation": "rollback", "verb": "plan", "params": {"service": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}}, "target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "text": "rollback frontend", "address": {"door": "slack", "place": {"channel": "C0AISQ", "user": "U0ANA", "team": "T0AISQ", "response_url": "http://127.0.0.1:45527/hooks/00d9197cb8d8210566da5afd"}}, "channel": "C0AISQ", "received_at": "2026-11-21T09:19:11.452120Z"}','rollback','plan','slack:U0ANA','ai-square/prod/frontend','2026-11-21 09:19:12.044996','2026-11-21 09:22:14.295591','waiting',2,'ai-square/prod/frontend: all traffic to frontend-00023-tob, away from frontend-00024-bad 100 %','{"target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "version": "24", "summary": "ai-square/prod/frontend: all traffic to frontend-00023-tob, away from frontend-00024-bad 100 %", "steps": [{"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "traffic": {"frontend-00023-tob": 100}}, "title": "send all traffic to frontend-00023-tob", "undo": {"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "traffic": {"frontend-00024-bad": 100}}, "title": "", "undo": null, "deadline_s": 0, "if_broken": "undo"}, "deadline_s": 0, "if_broken": "undo"}, {"kind": "check", "verb": "serving", "args": {"traffic": {"frontend-00023-tob": 100}}, "title": "see that it serves", "undo": null, "deadline_s": 120, "if_broken": "report"}], "afterwards": [{"kind": "judge", "verb": "errors", "args": {}, "title": "compare errors before and after", "undo": null, "deadline_s": 1200, "if_broken": "undo"}], "verdict": {"findings": [{"level": "good", "subject": "image", "sentence": "image sha256:ac48227e0564 is in the registry", "unread": false}, {"level": "good", "subject": "capacity", "sentence": "up to 50 instances, no fewer than now", "unread": false}, {"level": "good", "subject": "health", "sentence": "frontend-00023-tob served all traffic until 2026-11-21 08:53 UTC with 0.04 % errors in 2,398,250 requests", "unread": false}]}, "hold": {"traffic": {"frontend-00023-tob": 100}, "away_from": ["frontend-00024-bad"]}, "lets_go": false, "notes": ["Traffic then stays at frontend-00023-tob: new releases get none until `unpin ai-square/prod/frontend`."], "by_hand": ["gcloud run services update-traffic frontend --to-revisions=frontend-00023-tob=100 --region=us-central1 --project=ai-square-prod"], "undo_by_hand": ["gcloud run services update-traffic frontend --to-revisions=frontend-00024-bad=100 --region=us-central1 --project=ai-square-prod"], "chosen": {"to": "frontend-00023-tob"}, "facts": {"traffic": {"frontend-00024-bad": 100}, "traffic_moved_pct": 100}, "measured": {"error_rate_pct": 7.765013814163153}, "why": ""}','72b668515fb1b7f87fa6de06655484cf82a1e05cb57b497186c63ec9e061c14c',1,'grant.prod.rollout','2026-11-22 09:22:11.751998',NULL,'',0,'','',NULL);
INSERT INTO "operations" VALUES('43dxtmpesz','{"id": "43dxtmpesz", "actor": {"id": "slack:U0BEN", "name": "Ben Brooks", "roles": ["sre-oncall"], "active": true, "zone": "America/New_York"}, "operation": "approve", "verb": "act", "params": {"operation": {"id": "m9p1znn2kn", "operation": "rollback", "requester": "slack:U0ANA", "target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}}, "digest": "50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37"}, "target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "text": "approve m9p1znn2kn --digest 50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37", "address": {"door": "slack", "place": {"channel": "C0AISQ", "user": "U0BEN", "team": "T0AISQ", "response_url": "http://127.0.0.1:45527/hooks/780a0c4fea11ca98a5d6cf22"}}, "channel": "C0AISQ", "received_at": "2026-11-21T09:23:32.931307Z"}','approve','act','slack:U0BEN','ai-square/prod/backend','2026-11-21 09:23:33.917716','2026-11-21 09:24:33.500808','answered',2,'',NULL,'',0,'',NULL,NULL,'',0,'','','{"title": "Approved m9p1znn2kn", "parts": [{"is_": "text", "text": "rollback backend; it begins now", "mood": "good"}], "good": true}');
CREATE TABLE pins (
	target TEXT NOT NULL, 
	pin JSON NOT NULL, 
	PRIMARY KEY (target)
);
CREATE TABLE serving (
	target TEXT NOT NULL, 
	since DATETIME NOT NULL, 
	until DATETIME NOT NULL, 
	split JSON NOT NULL, 
	version TEXT NOT NULL, 
	total INTEGER NOT NULL, 
	errors INTEGER NOT NULL, 
	counted_until DATETIME, 
	PRIMARY KEY (target, since)
);
INSERT INTO "serving" VALUES('ai-square/prod/backend','2026-11-21 09:16:25.979422','2026-11-21 09:31:00.371550','{"backend-00042-bad": 100}','42',6674,542,'2026-11-21 09:27:25.979422');
INSERT INTO "serving" VALUES('ai-square/prod/frontend','2026-11-21 09:17:15.086807','2026-11-21 09:29:50.174778','{"frontend-00024-bad": 100}','24',7691,603,'2026-11-21 09:26:15.086807');
CREATE INDEX ix_audit_at ON audit (at);
CREATE INDEX ix_audit_operation ON audit (operation);
CREATE INDEX ix_heard_at ON heard (at);
CREATE INDEX ix_operations_created_at ON operations (created_at);
CREATE INDEX ix_operations_judged ON operations (judged);
CREATE INDEX ix_operations_state ON operations (state);
CREATE INDEX ix_operations_target_state ON operations (target, state);
CREATE INDEX ix_effects_operation ON effects (operation);
COMMIT;
