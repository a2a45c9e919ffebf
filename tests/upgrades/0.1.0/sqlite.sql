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
INSERT INTO "approvals" VALUES('ms1ftrbran','slack:U0BEN','168194c7689f0274b5a98d1adc8f18a3d493a7234d3216697a73e4ebf1e0288a','{"id": "slack:U0BEN", "name": "Ben Brooks", "roles": ["sre-oncall"], "active": true, "zone": "America/New_York"}','2026-11-21 08:52:59.026763');
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
INSERT INTO "audit" VALUES(1,'2026-11-21 08:49:08.682587','asked','ms1ftrbran','slack:U0ANA','{"actor":"slack:U0ANA","at":"2026-11-21T08:49:08.682587+00:00","body":{"door":"slack","target":"ai-square/prod/backend","text":"rollback backend"},"event":"asked","operation":"ms1ftrbran","seq":1}','0070ae87032aa5111951b153cba31ee22e22ff1333ec5f8c9f249e14b32a856b');
INSERT INTO "audit" VALUES(2,'2026-11-21 08:49:22.408345','asked','bgmytfjvg9','slack:U0ANA','{"actor":"slack:U0ANA","at":"2026-11-21T08:49:22.408345+00:00","body":{"door":"slack","target":"ai-square/prod/frontend","text":"rollback frontend"},"event":"asked","operation":"bgmytfjvg9","seq":2}','490751d150043b85e6e3d12c0bbd2ef64957fc5bc45872941a5f71a9408f7ae0');
INSERT INTO "audit" VALUES(3,'2026-11-21 08:52:06.617329','waiting','bgmytfjvg9','aisq','{"actor":"aisq","at":"2026-11-21T08:52:06.617329+00:00","body":{"detail":"ai-square/prod/frontend: all traffic to frontend-00023-tob, away from frontend-00024-bad 100 %","digest":"8cc86e7cb38f35909e93ca62418336a372d090e0c6e7f98fe212e13ece52468b","needs":1,"permitted_by":"grant.prod.rollout","target":"ai-square/prod/frontend"},"event":"waiting","operation":"bgmytfjvg9","seq":3}','b2f116296f494f7db08c54e799b262daf22ed732d04e7a2b734fd6189816265e');
INSERT INTO "audit" VALUES(4,'2026-11-21 08:52:28.914855','waiting','ms1ftrbran','aisq','{"actor":"aisq","at":"2026-11-21T08:52:28.914855+00:00","body":{"detail":"ai-square/prod/backend: all traffic to backend-00041-kex, away from backend-00042-bad 100 %","digest":"168194c7689f0274b5a98d1adc8f18a3d493a7234d3216697a73e4ebf1e0288a","needs":1,"permitted_by":"grant.prod.rollout","target":"ai-square/prod/backend"},"event":"waiting","operation":"ms1ftrbran","seq":4}','7772194c6f3e40b2db4d61e04d4a21925fc1fae57d6d9cc62488c7d79ddb5531');
INSERT INTO "audit" VALUES(5,'2026-11-21 08:52:53.210661','asked','dk2q5pfkw8','slack:U0BEN','{"actor":"slack:U0BEN","at":"2026-11-21T08:52:53.210661+00:00","body":{"door":"slack","target":"ai-square/prod/backend","text":"approve ms1ftrbran --digest 168194c7689f0274b5a98d1adc8f18a3d493a7234d3216697a73e4ebf1e0288a"},"event":"asked","operation":"dk2q5pfkw8","seq":5}','d31f0ad513680377d862eec91c1375b6579c9a7414c8c7375f2c8c36110eb95c');
INSERT INTO "audit" VALUES(6,'2026-11-21 08:52:59.861968','approved','ms1ftrbran','slack:U0BEN','{"actor":"slack:U0BEN","at":"2026-11-21T08:52:59.861968+00:00","body":{"digest":"168194c7689f0274b5a98d1adc8f18a3d493a7234d3216697a73e4ebf1e0288a","target":"ai-square/prod/backend"},"event":"approved","operation":"ms1ftrbran","seq":6}','2b4b305348f6b9d8fbe3313ab435c59361d45aaa27c570d0053377981619a236');
INSERT INTO "audit" VALUES(7,'2026-11-21 08:53:00.653899','queued','ms1ftrbran','slack:U0BEN','{"actor":"slack:U0BEN","at":"2026-11-21T08:53:00.653899+00:00","body":{"detail":"approved by Ben Brooks","target":"ai-square/prod/backend"},"event":"queued","operation":"ms1ftrbran","seq":7}','b193f8b4da23daf80608897ae96c058a8f2cc101c9d14385d7ca52788c8aba71');
INSERT INTO "audit" VALUES(8,'2026-11-21 08:53:02.303278','answered','dk2q5pfkw8','aisq','{"actor":"aisq","at":"2026-11-21T08:53:02.303278+00:00","body":{"detail":"","digest":"","needs":0,"permitted_by":"","target":"ai-square/prod/backend"},"event":"answered","operation":"dk2q5pfkw8","seq":8}','936014e9e0acced2f4322b93354b5f42130cf86dbfeaed7732e1537c120a974f');
INSERT INTO "audit" VALUES(9,'2026-11-21 08:53:40.300381','running','ms1ftrbran','aisq','{"actor":"aisq","at":"2026-11-21T08:53:40.300381+00:00","body":{"detail":"in progress","target":"ai-square/prod/backend"},"event":"running","operation":"ms1ftrbran","seq":9}','657647a52f65e3885083b07ee004af477ed0aaab44eaba34ac2850089bc92e08');
INSERT INTO "audit" VALUES(10,'2026-11-21 08:53:50.247228','writing','ms1ftrbran','aisq','{"actor":"aisq","at":"2026-11-21T08:53:50.247228+00:00","body":{"key":"ms1ftrbran/0/do","target":"ai-square/prod/backend","verb":"Compute.set_traffic","version":"42"},"event":"writing","operation":"ms1ftrbran","seq":10}','5442b798871bb96ba9253525acdb57dad869eef1f3c65d33d372c14e1705aee4');
CREATE TABLE audit_ends (
	name TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "audit_ends" VALUES('head',10,'5442b798871bb96ba9253525acdb57dad869eef1f3c65d33d372c14e1705aee4');
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
INSERT INTO "effects" VALUES('ms1ftrbran/0/do','ms1ftrbran','{"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "traffic": {"backend-00041-kex": 100}}, "title": "send all traffic to backend-00041-kex", "deadline_s": 0, "if_broken": "undo"}','42','',NULL,'','','2026-11-21 08:53:50.216973');
CREATE TABLE heard (
	heard_as TEXT NOT NULL, 
	signature TEXT, 
	operation TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (heard_as), 
	UNIQUE (signature)
);
INSERT INTO "heard" VALUES('slack:command:00000001.1795248914.4470015e82edae9a8955f855798d45cc','v0=2c1560e40aeee1ffd298f24ffee20144b9ec9c2f8173524c354e086a16a37bea','ms1ftrbran','2026-11-21 08:49:07.724144');
INSERT INTO "heard" VALUES('slack:command:00000002.1795248914.1368eef0b2c5f21fcfffa34272225374','v0=ff00d0d64c545d08a54ce005af52560053e6a35c3f59b55f2801d92bc501ac6a','bgmytfjvg9','2026-11-21 08:49:22.157862');
INSERT INTO "heard" VALUES('slack:click:1795248915.551230:1795248915.575569:U0BEN:aisq.approve','v0=ceb86d084eb135306e2b94c9ce474808b533454de21f2ce159351315cc75dbfe','dk2q5pfkw8','2026-11-21 08:52:52.745888');
CREATE TABLE leases (
	executor TEXT NOT NULL, 
	beat_s DOUBLE NOT NULL, 
	host TEXT NOT NULL, 
	PRIMARY KEY (executor)
);
INSERT INTO "leases" VALUES('0805602c8844420b828eeb52ae323c5f',1.79524891553401350977e+09,'vm');
CREATE TABLE messages (
	operation TEXT NOT NULL, 
	place JSON NOT NULL, 
	shown INTEGER NOT NULL, 
	tried_at DATETIME, 
	PRIMARY KEY (operation), 
	FOREIGN KEY(operation) REFERENCES operations (id)
);
INSERT INTO "messages" VALUES('bgmytfjvg9','{"channel": "C0AISQ", "ts": "1795248915.492765"}',2,NULL);
INSERT INTO "messages" VALUES('ms1ftrbran','{"channel": "C0AISQ", "ts": "1795248915.551230"}',4,NULL);
INSERT INTO "messages" VALUES('dk2q5pfkw8','{}',2,NULL);
CREATE TABLE mutexes (
	target TEXT NOT NULL, 
	holder TEXT, 
	owner TEXT NOT NULL, 
	token INTEGER NOT NULL, 
	PRIMARY KEY (target)
);
INSERT INTO "mutexes" VALUES('ai-square/prod/backend','ms1ftrbran','0805602c8844420b828eeb52ae323c5f',1);
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
INSERT INTO "operations" VALUES('ms1ftrbran','{"id": "ms1ftrbran", "actor": {"id": "slack:U0ANA", "name": "Ana Alvarez", "roles": ["sre-oncall"], "active": true, "zone": "Europe/Berlin"}, "operation": "rollback", "verb": "plan", "params": {"reason": "", "break_glass": "", "dry_run": false, "service": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "to": null}, "target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "text": "rollback backend", "address": {"door": "slack", "place": {"channel": "C0AISQ", "user": "U0ANA", "team": "T0AISQ", "response_url": "http://127.0.0.1:36917/hooks/09127f5b5faed9d94d60261c"}}, "channel": "C0AISQ", "received_at": "2026-11-21T08:49:05.641677Z"}','rollback','plan','slack:U0ANA','ai-square/prod/backend','2026-11-21 08:49:07.724144','2026-11-21 08:53:50.216973','running',6,'in progress','{"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "version": "42", "summary": "ai-square/prod/backend: all traffic to backend-00041-kex, away from backend-00042-bad 100 %", "steps": [{"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "traffic": {"backend-00041-kex": 100}}, "title": "send all traffic to backend-00041-kex", "undo": {"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "traffic": {"backend-00042-bad": 100}}, "title": "", "undo": null, "deadline_s": 0, "if_broken": "undo"}, "deadline_s": 0, "if_broken": "undo"}, {"kind": "check", "verb": "serving", "args": {"traffic": {"backend-00041-kex": 100}}, "title": "see that it serves", "undo": null, "deadline_s": 120, "if_broken": "report"}], "afterwards": [{"kind": "judge", "verb": "errors", "args": {}, "title": "compare errors before and after", "undo": null, "deadline_s": 1200, "if_broken": "undo"}], "verdict": {"findings": [{"level": "good", "subject": "image", "sentence": "image sha256:24302b5749ed is in the registry", "unread": false}, {"level": "good", "subject": "secrets", "sentence": "secret database-url version 4 is enabled", "unread": false}, {"level": "good", "subject": "secrets", "sentence": "secret jwt-signing-key version 2 is enabled", "unread": false}, {"level": "good", "subject": "capacity", "sentence": "up to 100 instances, no fewer than now", "unread": false}, {"level": "good", "subject": "health", "sentence": "backend-00041-kex served all traffic until 2026-11-21 08:27 UTC with 0.04 % errors in 2,576,118 requests", "unread": false}]}, "hold": {"traffic": {"backend-00041-kex": 100}, "away_from": ["backend-00042-bad"]}, "lets_go": false, "notes": ["Traffic then stays at backend-00041-kex: new releases get none until `unpin ai-square/prod/backend`."], "by_hand": ["gcloud run services update-traffic backend --to-revisions=backend-00041-kex=100 --region=us-central1 --project=ai-square-prod"], "undo_by_hand": ["gcloud run services update-traffic backend --to-revisions=backend-00042-bad=100 --region=us-central1 --project=ai-square-prod"], "chosen": {"to": "backend-00041-kex"}, "facts": {"traffic": {"backend-00042-bad": 100}, "traffic_moved_pct": 100}, "measured": {"error_rate_pct": 8.043389275480965}, "why": ""}','168194c7689f0274b5a98d1adc8f18a3d493a7234d3216697a73e4ebf1e0288a',1,'grant.prod.rollout','2026-11-22 08:52:28.627465',NULL,'',1,'','',NULL);
INSERT INTO "operations" VALUES('bgmytfjvg9','{"id": "bgmytfjvg9", "actor": {"id": "slack:U0ANA", "name": "Ana Alvarez", "roles": ["sre-oncall"], "active": true, "zone": "Europe/Berlin"}, "operation": "rollback", "verb": "plan", "params": {"reason": "", "break_glass": "", "dry_run": false, "service": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "to": null}, "target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "text": "rollback frontend", "address": {"door": "slack", "place": {"channel": "C0AISQ", "user": "U0ANA", "team": "T0AISQ", "response_url": "http://127.0.0.1:36917/hooks/c11110bcd89db3ed24e180e1"}}, "channel": "C0AISQ", "received_at": "2026-11-21T08:49:20.641520Z"}','rollback','plan','slack:U0ANA','ai-square/prod/frontend','2026-11-21 08:49:22.157862','2026-11-21 08:52:06.612251','waiting',2,'ai-square/prod/frontend: all traffic to frontend-00023-tob, away from frontend-00024-bad 100 %','{"target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "version": "24", "summary": "ai-square/prod/frontend: all traffic to frontend-00023-tob, away from frontend-00024-bad 100 %", "steps": [{"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "traffic": {"frontend-00023-tob": 100}}, "title": "send all traffic to frontend-00023-tob", "undo": {"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "traffic": {"frontend-00024-bad": 100}}, "title": "", "undo": null, "deadline_s": 0, "if_broken": "undo"}, "deadline_s": 0, "if_broken": "undo"}, {"kind": "check", "verb": "serving", "args": {"traffic": {"frontend-00023-tob": 100}}, "title": "see that it serves", "undo": null, "deadline_s": 120, "if_broken": "report"}], "afterwards": [{"kind": "judge", "verb": "errors", "args": {}, "title": "compare errors before and after", "undo": null, "deadline_s": 1200, "if_broken": "undo"}], "verdict": {"findings": [{"level": "good", "subject": "image", "sentence": "image sha256:ac48227e0564 is in the registry", "unread": false}, {"level": "good", "subject": "capacity", "sentence": "up to 50 instances, no fewer than now", "unread": false}, {"level": "good", "subject": "health", "sentence": "frontend-00023-tob served all traffic until 2026-11-21 08:27 UTC with 0.04 % errors in 2,401,496 requests", "unread": false}]}, "hold": {"traffic": {"frontend-00023-tob": 100}, "away_from": ["frontend-00024-bad"]}, "lets_go": false, "notes": ["Traffic then stays at frontend-00023-tob: new releases get none until `unpin ai-square/prod/frontend`."], "by_hand": ["gcloud run services update-traffic frontend --to-revisions=frontend-00023-tob=100 --region=us-central1 --project=ai-square-prod"], "undo_by_hand": ["gcloud run services update-traffic frontend --to-revisions=frontend-00024-bad=100 --region=us-central1 --project=ai-square-prod"], "chosen": {"to": "frontend-00023-tob"}, "facts": {"traffic": {"frontend-00024-bad": 100}, "traffic_moved_pct": 100}, "measured": {"error_rate_pct": 7.640317367029092}, "why": ""}','8cc86e7cb38f35909e93ca62418336a372d090e0c6e7f98fe212e13ece52468b',1,'grant.prod.rollout','2026-11-22 08:52:06.062076',NULL,'',0,'','',NULL);
INSERT INTO "operations" VALUES('dk2q5pfkw8','{"id": "dk2q5pfkw8", "actor": {"id": "slack:U0BEN", "name": "Ben Brooks", "roles": ["sre-oncall"], "active": true, "zone": "America/New_York"}, "operation": "approve", "verb": "act", "params": {"operation": {"id": "ms1ftrbran", "operation": "rollback", "requester": "slack:U0ANA", "target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}}, "digest": "168194c7689f0274b5a98d1adc8f18a3d493a7234d3216697a73e4ebf1e0288a"}, "target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "text": "approve ms1ftrbran --digest 168194c7689f0274b5a98d1adc8f18a3d493a7234d3216697a73e4ebf1e0288a", "address": {"door": "slack", "place": {"channel": "C0AISQ", "user": "U0BEN", "team": "T0AISQ", "response_url": "http://127.0.0.1:36917/hooks/dd21f009a44799ba431b9458"}}, "channel": "C0AISQ", "received_at": "2026-11-21T08:52:52.133844Z"}','approve','act','slack:U0BEN','ai-square/prod/backend','2026-11-21 08:52:52.745888','2026-11-21 08:53:02.298987','answered',2,'',NULL,'',0,'',NULL,NULL,'',0,'','','{"title": "Approved ms1ftrbran", "parts": [{"is_": "text", "text": "rollback backend; it begins now", "mood": "good"}], "good": true}');
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
INSERT INTO "serving" VALUES('ai-square/prod/backend','2026-11-21 08:46:50.102575','2026-11-21 08:55:36.876695','{"backend-00042-bad": 100}','42',3024,218,'2026-11-21 08:51:50.102575');
INSERT INTO "serving" VALUES('ai-square/prod/frontend','2026-11-21 08:47:46.265385','2026-11-21 08:55:41.897147','{"frontend-00024-bad": 100}','24',3451,283,'2026-11-21 08:51:46.265385');
CREATE INDEX ix_audit_at ON audit (at);
CREATE INDEX ix_audit_operation ON audit (operation);
CREATE INDEX ix_heard_at ON heard (at);
CREATE INDEX ix_operations_created_at ON operations (created_at);
CREATE INDEX ix_operations_judged ON operations (judged);
CREATE INDEX ix_operations_state ON operations (state);
CREATE INDEX ix_operations_target_state ON operations (target, state);
CREATE INDEX ix_effects_operation ON effects (operation);
COMMIT;
