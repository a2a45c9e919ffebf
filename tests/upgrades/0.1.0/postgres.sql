SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA dbos;
CREATE FUNCTION dbos.enqueue_workflow(workflow_name text, queue_name text, positional_args json[] DEFAULT ARRAY[]::json[], named_args json DEFAULT '{}'::json, class_name text DEFAULT NULL::text, config_name text DEFAULT NULL::text, workflow_id text DEFAULT NULL::text, app_version text DEFAULT NULL::text, timeout_ms bigint DEFAULT NULL::bigint, deadline_epoch_ms bigint DEFAULT NULL::bigint, deduplication_id text DEFAULT NULL::text, priority integer DEFAULT NULL::integer, queue_partition_key text DEFAULT NULL::text, authenticated_user text DEFAULT NULL::text, authenticated_roles text DEFAULT NULL::text, delay_until_epoch_ms bigint DEFAULT NULL::bigint, application_name text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_workflow_id TEXT;
    v_serialized_inputs TEXT;
    v_owner_xid TEXT;
    v_now BIGINT;
    v_recovery_attempts INT4 := 0;
    v_priority INT4;
    v_status TEXT;
BEGIN
    -- Validate required parameters
    IF workflow_name IS NULL OR workflow_name = '' THEN
        RAISE EXCEPTION 'Workflow name cannot be null or empty';
    END IF;
    IF queue_name IS NULL OR queue_name = '' THEN
        RAISE EXCEPTION 'Queue name cannot be null or empty';
    END IF;
    IF named_args IS NOT NULL AND jsonb_typeof(named_args::jsonb) != 'object' THEN
        RAISE EXCEPTION 'Named args must be a JSON object';
    END IF;
    IF workflow_id IS NOT NULL AND workflow_id = '' THEN
        RAISE EXCEPTION 'Workflow ID cannot be an empty string if provided.';
    END IF;
    IF delay_until_epoch_ms IS NOT NULL AND delay_until_epoch_ms < 0 THEN
        RAISE EXCEPTION 'delay_until_epoch_ms must be >= 0';
    END IF;
    v_workflow_id := COALESCE(workflow_id, gen_random_uuid()::TEXT);
    v_owner_xid := gen_random_uuid()::TEXT;
    v_priority := COALESCE(priority, 0);
    v_serialized_inputs := json_build_object(
        'positionalArgs', positional_args,
        'namedArgs', named_args
    )::TEXT;
    v_now := EXTRACT(epoch FROM now()) * 1000;
    v_status := CASE WHEN delay_until_epoch_ms IS NULL THEN 'ENQUEUED' ELSE 'DELAYED' END;
    INSERT INTO "dbos".workflow_status (
        workflow_uuid, status,
        name, class_name, config_name,
        queue_name, deduplication_id, priority, queue_partition_key,
        application_version,
        created_at, updated_at, recovery_attempts,
        workflow_timeout_ms, workflow_deadline_epoch_ms,
        parent_workflow_id, owner_xid, serialization,
        authenticated_user, authenticated_roles,
        delay_until_epoch_ms, application_name
    ) VALUES (
        v_workflow_id, v_status,
        workflow_name, class_name, config_name,
        queue_name, deduplication_id, v_priority, queue_partition_key,
        app_version,
        v_now, v_now, v_recovery_attempts,
        timeout_ms, deadline_epoch_ms,
        NULL, v_owner_xid, 'portable_json',
        authenticated_user, authenticated_roles,
        delay_until_epoch_ms, application_name
    )
    ON CONFLICT (workflow_uuid)
    DO UPDATE SET
        updated_at = EXCLUDED.updated_at;
    INSERT INTO "dbos".workflow_input (
        workflow_uuid, inputs, retention_timestamp
    ) VALUES (
        v_workflow_id, v_serialized_inputs, v_now
    )
    ON CONFLICT (workflow_uuid) DO NOTHING;
    RETURN v_workflow_id;
EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'DBOS queue duplicated'
            USING DETAIL = format('Workflow %s with queue %s and deduplication ID %s already exists', v_workflow_id, queue_name, deduplication_id),
                ERRCODE = 'unique_violation';
END;
$$;
CREATE FUNCTION dbos.send_message(destination_id text, message json, topic text DEFAULT NULL::text, message_id text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    v_topic TEXT := COALESCE(topic, '__null__topic__');
    v_message_id TEXT := COALESCE(message_id, gen_random_uuid()::TEXT);
BEGIN
    INSERT INTO "dbos".notifications (
        destination_uuid, topic, message, message_uuid, serialization
    ) VALUES (
        destination_id, v_topic, message, v_message_id, 'portable_json'
    )
    ON CONFLICT (message_uuid) DO NOTHING;
EXCEPTION
    WHEN foreign_key_violation THEN
        RAISE EXCEPTION 'DBOS non-existent workflow'
            USING DETAIL = format('Destination workflow %s does not exist', destination_id),
                ERRCODE = 'foreign_key_violation';
END;
$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE dbos.application_versions (
    version_id text NOT NULL,
    version_name text NOT NULL,
    version_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_name text
);
CREATE TABLE dbos.dbos_migrations (
    version bigint NOT NULL
);
CREATE TABLE dbos.event_dispatch_kv (
    service_name text NOT NULL,
    workflow_fn_name text NOT NULL,
    key text NOT NULL,
    value text,
    update_seq numeric(38,0),
    update_time numeric(38,15)
);
CREATE TABLE dbos.notifications (
    message_uuid text DEFAULT gen_random_uuid() NOT NULL,
    destination_uuid text NOT NULL,
    topic text,
    message text NOT NULL,
    created_at_epoch_ms bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    serialization text,
    consumed boolean DEFAULT false NOT NULL,
    consumed_by_function_id integer
);
CREATE TABLE dbos.operation_outputs (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    function_name text DEFAULT ''::text NOT NULL,
    output text,
    error text,
    child_workflow_id text,
    started_at_epoch_ms bigint,
    completed_at_epoch_ms bigint,
    serialization text,
    application_name text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);
CREATE TABLE dbos.queues (
    queue_id text DEFAULT (gen_random_uuid())::text NOT NULL,
    name text NOT NULL,
    concurrency integer,
    worker_concurrency integer,
    rate_limit_max integer,
    rate_limit_period_sec double precision,
    priority_enabled boolean DEFAULT false NOT NULL,
    partition_queue boolean DEFAULT false NOT NULL,
    polling_interval_sec double precision DEFAULT 1.0 NOT NULL,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    updated_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_name text,
    partition_concurrency integer,
    partition_worker_concurrency integer,
    partition_rate_limit_max integer,
    partition_rate_limit_period_sec double precision
);
CREATE TABLE dbos.streams (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    "offset" integer NOT NULL,
    function_id integer DEFAULT 0 NOT NULL,
    serialization text
);
CREATE TABLE dbos.workflow_events (
    workflow_uuid text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text
);
CREATE TABLE dbos.workflow_events_history (
    workflow_uuid text NOT NULL,
    function_id integer NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    serialization text
);
CREATE TABLE dbos.workflow_input (
    workflow_uuid text NOT NULL,
    inputs text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);
CREATE TABLE dbos.workflow_output (
    workflow_uuid text NOT NULL,
    output text,
    error text,
    retention_timestamp bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL
);
CREATE TABLE dbos.workflow_schedules (
    schedule_id text NOT NULL,
    schedule_name text NOT NULL,
    workflow_name text NOT NULL,
    workflow_class_name text,
    schedule text NOT NULL,
    status text DEFAULT 'ACTIVE'::text NOT NULL,
    context text NOT NULL,
    last_fired_at text,
    automatic_backfill boolean DEFAULT false NOT NULL,
    cron_timezone text,
    queue_name text,
    application_name text
);
CREATE TABLE dbos.workflow_status (
    workflow_uuid text NOT NULL,
    status text,
    name text,
    authenticated_user text,
    assumed_role text,
    authenticated_roles text,
    request text,
    output text,
    error text,
    executor_id text,
    created_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    updated_at bigint DEFAULT ((EXTRACT(epoch FROM now()) * 1000.0))::bigint NOT NULL,
    application_version text,
    application_id text,
    class_name character varying(255) DEFAULT NULL::character varying,
    config_name character varying(255) DEFAULT NULL::character varying,
    recovery_attempts bigint DEFAULT 0,
    queue_name text,
    workflow_timeout_ms bigint,
    workflow_deadline_epoch_ms bigint,
    inputs text,
    started_at_epoch_ms bigint,
    deduplication_id text,
    priority integer DEFAULT 0 NOT NULL,
    queue_partition_key text,
    forked_from text,
    owner_xid text,
    parent_workflow_id text,
    serialization text,
    delay_until_epoch_ms bigint,
    was_forked_from boolean DEFAULT false NOT NULL,
    rate_limited boolean DEFAULT false NOT NULL,
    completed_at bigint,
    attributes jsonb,
    schedule_name text,
    debounce_deadline_epoch_ms bigint,
    is_debounced boolean DEFAULT false NOT NULL,
    application_name text,
    creator_xid text
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.approvals (
    operation text NOT NULL,
    approver text NOT NULL,
    digest text NOT NULL,
    actor json NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.audit (
    seq integer NOT NULL,
    at timestamp with time zone NOT NULL,
    event text NOT NULL,
    operation text NOT NULL,
    actor text NOT NULL,
    body text NOT NULL,
    hash text NOT NULL
);
CREATE TABLE public.audit_ends (
    name text NOT NULL,
    seq integer NOT NULL,
    hash text NOT NULL
);
CREATE TABLE public.effects (
    key text NOT NULL,
    operation text NOT NULL,
    call json NOT NULL,
    version_before text NOT NULL,
    cloud_operation text NOT NULL,
    ending text,
    version_after text NOT NULL,
    detail text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.heard (
    heard_as text NOT NULL,
    signature text,
    operation text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE TABLE public.leases (
    executor text NOT NULL,
    beat_s double precision NOT NULL,
    host text NOT NULL
);
CREATE TABLE public.messages (
    operation text NOT NULL,
    place json NOT NULL,
    shown integer NOT NULL,
    tried_at timestamp with time zone
);
CREATE TABLE public.mutexes (
    target text NOT NULL,
    holder text,
    owner text NOT NULL,
    token integer NOT NULL
);
CREATE TABLE public.operations (
    id text NOT NULL,
    request json NOT NULL,
    operation text NOT NULL,
    verb text NOT NULL,
    actor text NOT NULL,
    target text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    revision integer NOT NULL,
    detail text NOT NULL,
    plan json,
    digest text NOT NULL,
    approvals_needed integer NOT NULL,
    permitted_by text NOT NULL,
    expires_at timestamp with time zone,
    applied_at timestamp with time zone,
    cancel_by text NOT NULL,
    doing integer NOT NULL,
    judged text NOT NULL,
    judgement text NOT NULL,
    answer json
);
CREATE TABLE public.pins (
    target text NOT NULL,
    pin json NOT NULL
);
CREATE TABLE public.serving (
    target text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    split json NOT NULL,
    version text NOT NULL,
    total integer NOT NULL,
    errors integer NOT NULL,
    counted_until timestamp with time zone
);
INSERT INTO dbos.application_versions VALUES ('7dd75017-f39a-40a0-b9ef-4542f73ac6bb', 'ops-1', 1795250790248, 1795250790248, 'aisq');
INSERT INTO dbos.dbos_migrations VALUES (125);
INSERT INTO dbos.operation_outputs VALUES ('yk0cz0sf6v/1', 1, 'begin', '{"refused":null,"plan":{"target":{"system":"ai-square","environment":"prod","name":"backend","kind":"service","type":"cloud_run","cloud":"gcp","place":{"project":"ai-square-prod","region":"us-central1","service":"backend"}},"version":"42","summary":"ai-square/prod/backend: all traffic to backend-00041-kex, away from backend-00042-bad 100 %","steps":[{"kind":"call","verb":"Compute.set_traffic","args":{"target":{"system":"ai-square","environment":"prod","name":"backend","kind":"service","type":"cloud_run","cloud":"gcp","place":{"project":"ai-square-prod","region":"us-central1","service":"backend"}},"traffic":{"backend-00041-kex":100}},"title":"send all traffic to backend-00041-kex","undo":{"kind":"call","verb":"Compute.set_traffic","args":{"target":{"system":"ai-square","environment":"prod","name":"backend","kind":"service","type":"cloud_run","cloud":"gcp","place":{"project":"ai-square-prod","region":"us-central1","service":"backend"}},"traffic":{"backend-00042-bad":100}},"title":"","undo":null,"deadline_s":0,"if_broken":"undo"},"deadline_s":0,"if_broken":"undo"},{"kind":"check","verb":"serving","args":{"traffic":{"backend-00041-kex":100}},"title":"see that it serves","undo":null,"deadline_s":120,"if_broken":"report"}],"afterwards":[{"kind":"judge","verb":"errors","args":{},"title":"compare errors before and after","undo":null,"deadline_s":1200,"if_broken":"undo"}],"verdict":{"findings":[{"level":"good","subject":"image","sentence":"image sha256:24302b5749ed is in the registry","unread":false},{"level":"good","subject":"secrets","sentence":"secret database-url version 4 is enabled","unread":false},{"level":"good","subject":"secrets","sentence":"secret jwt-signing-key version 2 is enabled","unread":false},{"level":"good","subject":"capacity","sentence":"up to 100 instances, no fewer than now","unread":false},{"level":"good","subject":"health","sentence":"backend-00041-kex served all traffic until 2026-11-21 09:03 UTC with 0.04 % errors in 2,579,757 requests","unread":false}]},"hold":{"traffic":{"backend-00041-kex":100},"away_from":["backend-00042-bad"]},"lets_go":false,"notes":["Traffic then stays at backend-00041-kex: new releases get none until `unpin ai-square/prod/backend`."],"by_hand":["gcloud run services update-traffic backend --to-revisions=backend-00041-kex=100 --region=us-central1 --project=ai-square-prod"],"undo_by_hand":["gcloud run services update-traffic backend --to-revisions=backend-00042-bad=100 --region=us-central1 --project=ai-square-prod"],"chosen":{"to":"backend-00041-kex"},"facts":{"traffic":{"backend-00042-bad":100},"traffic_moved_pct":100},"measured":{"error_rate_pct":8.432760364004045},"why":""}}', NULL, NULL, 1795250800317, 1795250802058, 'portable_json', 'aisq', 1795250802059);
INSERT INTO dbos.queues VALUES ('fab1c974-2ab2-464f-a733-cd71a3e941aa', 'changes', NULL, NULL, NULL, NULL, true, true, 0.1, 1795250790391, 1795250790389, 'aisq', 1, NULL, NULL, NULL);
INSERT INTO dbos.workflow_input VALUES ('yk0cz0sf6v/1', '{"namedArgs":{},"positionalArgs":["yk0cz0sf6v"]}', 1795250799366);
INSERT INTO dbos.workflow_status VALUES ('yk0cz0sf6v/1', 'PENDING', 'apply', NULL, NULL, NULL, NULL, NULL, NULL, 'd846f476e0d04c9f90258564f46739ad', 1795250799366, 1795250799579, 'ops-1', '', NULL, NULL, 1, 'changes', NULL, NULL, NULL, 1795250799579, NULL, 0, 'ai-square/prod/backend', NULL, 'c32e9374-cd7b-4d88-b0e4-5345ac3e19d5', NULL, 'portable_json', NULL, false, false, NULL, 'null', NULL, NULL, false, 'aisq', '74aa1cc0-7521-4194-b634-d796943aa411');
INSERT INTO public.alembic_version VALUES ('0001');
INSERT INTO public.approvals VALUES ('yk0cz0sf6v', 'slack:U0BEN', '50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37', '{"id": "slack:U0BEN", "name": "Ben Brooks", "roles": ["sre-oncall"], "active": true, "zone": "America/New_York"}', '2026-11-21 09:55:20.037195+00');
INSERT INTO public.audit VALUES (1, '2026-11-21 09:18:31.041304+00', 'asked', 'yk0cz0sf6v', 'slack:U0ANA', '{"actor":"slack:U0ANA","at":"2026-11-21T09:18:31.041304+00:00","body":{"door":"slack","target":"ai-square/prod/backend","text":"rollback backend"},"event":"asked","operation":"yk0cz0sf6v","seq":1}', 'cf34218b9aa9a3635369991648036e138531bfe542040d5b0ae6f5d13c9c1421');
INSERT INTO public.audit VALUES (2, '2026-11-21 09:19:18.26213+00', 'asked', '2fxdq7gpvc', 'slack:U0ANA', '{"actor":"slack:U0ANA","at":"2026-11-21T09:19:18.262130+00:00","body":{"door":"slack","target":"ai-square/prod/frontend","text":"rollback frontend"},"event":"asked","operation":"2fxdq7gpvc","seq":2}', '3d57475b3a65a2b431f08290eb2d9d72bc3cfd93abbad26891136baf7767ab65');
INSERT INTO public.audit VALUES (3, '2026-11-21 09:35:48.844406+00', 'waiting', '2fxdq7gpvc', 'aisq', '{"actor":"aisq","at":"2026-11-21T09:35:48.844406+00:00","body":{"detail":"ai-square/prod/frontend: all traffic to frontend-00023-tob, away from frontend-00024-bad 100 %","digest":"72b668515fb1b7f87fa6de06655484cf82a1e05cb57b497186c63ec9e061c14c","needs":1,"permitted_by":"grant.prod.rollout","target":"ai-square/prod/frontend"},"event":"waiting","operation":"2fxdq7gpvc","seq":3}', '9e56a94d8074f4ba65d582f8fd6b0c4387699a6308fd9c161a4a4550d03d08c8');
INSERT INTO public.audit VALUES (4, '2026-11-21 09:40:02.13463+00', 'waiting', 'yk0cz0sf6v', 'aisq', '{"actor":"aisq","at":"2026-11-21T09:40:02.134630+00:00","body":{"detail":"ai-square/prod/backend: all traffic to backend-00041-kex, away from backend-00042-bad 100 %","digest":"50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37","needs":1,"permitted_by":"grant.prod.rollout","target":"ai-square/prod/backend"},"event":"waiting","operation":"yk0cz0sf6v","seq":4}', 'fd18a1bcaf532634949f8d58b34b359b0392fea7af72d18deaa40fc1e2618b04');
INSERT INTO public.audit VALUES (5, '2026-11-21 09:51:33.291327+00', 'asked', '43x1dcw9g6', 'slack:U0BEN', '{"actor":"slack:U0BEN","at":"2026-11-21T09:51:33.291327+00:00","body":{"door":"slack","target":"ai-square/prod/backend","text":"approve yk0cz0sf6v --digest 50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37"},"event":"asked","operation":"43x1dcw9g6","seq":5}', '5f7967657e771b71a73278d577c42f5b0bc2bc442f74d2af167a765c2db451f1');
INSERT INTO public.audit VALUES (6, '2026-11-21 09:55:38.172004+00', 'approved', 'yk0cz0sf6v', 'slack:U0BEN', '{"actor":"slack:U0BEN","at":"2026-11-21T09:55:38.172004+00:00","body":{"digest":"50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37","target":"ai-square/prod/backend"},"event":"approved","operation":"yk0cz0sf6v","seq":6}', 'c5dbcb659708e43ef6d95c36de9a41f0125ed19eeb60e99115ab20a32886db6a');
INSERT INTO public.audit VALUES (7, '2026-11-21 09:56:25.311004+00', 'queued', 'yk0cz0sf6v', 'slack:U0BEN', '{"actor":"slack:U0BEN","at":"2026-11-21T09:56:25.311004+00:00","body":{"detail":"approved by Ben Brooks","target":"ai-square/prod/backend"},"event":"queued","operation":"yk0cz0sf6v","seq":7}', '07efbefb4cd0250f2fa9ea9e3349cc985184696e03451b9156a87f2fb61a78d4');
INSERT INTO public.audit VALUES (8, '2026-11-21 09:58:47.009961+00', 'answered', '43x1dcw9g6', 'aisq', '{"actor":"aisq","at":"2026-11-21T09:58:47.009961+00:00","body":{"detail":"","digest":"","needs":0,"permitted_by":"","target":"ai-square/prod/backend"},"event":"answered","operation":"43x1dcw9g6","seq":8}', 'c89a6367573c8bc37f2e393263c0f492c1a4cf4c2da90a05ff6402413f0bbd29');
INSERT INTO public.audit VALUES (9, '2026-11-21 10:13:44.129912+00', 'running', 'yk0cz0sf6v', 'aisq', '{"actor":"aisq","at":"2026-11-21T10:13:44.129912+00:00","body":{"detail":"in progress","target":"ai-square/prod/backend"},"event":"running","operation":"yk0cz0sf6v","seq":9}', '1ce5337b2361b681b367f4ef6fd6cf24356674881dc6fa3d81fc44e8d3b58a54');
INSERT INTO public.audit VALUES (10, '2026-11-21 10:14:07.053215+00', 'writing', 'yk0cz0sf6v', 'aisq', '{"actor":"aisq","at":"2026-11-21T10:14:07.053215+00:00","body":{"key":"yk0cz0sf6v/0/do","target":"ai-square/prod/backend","verb":"Compute.set_traffic","version":"42"},"event":"writing","operation":"yk0cz0sf6v","seq":10}', 'a42701f9fba803aebefa9c1edde5b4829a0ea9a6cf0541dbeaf41c1cec79f51e');
INSERT INTO public.audit_ends VALUES ('root', 0, '0000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO public.audit_ends VALUES ('head', 10, 'a42701f9fba803aebefa9c1edde5b4829a0ea9a6cf0541dbeaf41c1cec79f51e');
INSERT INTO public.effects VALUES ('yk0cz0sf6v/0/do', 'yk0cz0sf6v', '{"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "traffic": {"backend-00041-kex": 100}}, "title": "send all traffic to backend-00041-kex", "deadline_s": 0, "if_broken": "undo"}', '42', '', NULL, '', '', '2026-11-21 10:14:07.018096+00');
INSERT INTO public.heard VALUES ('slack:command:00000001.1795250790.dd4476e0256cee5b0e3273b625008155', 'v0=6fd802795b452782b6e850c7b2149bae69be509f44083524a9e40a07a26cf2bd', 'yk0cz0sf6v', '2026-11-21 09:18:15.503017+00');
INSERT INTO public.heard VALUES ('slack:command:00000002.1795250791.e1419d4124c8c0b0a0ad6019d63a4ac5', 'v0=fce14c8a46aa9f9caa5cb784c5faeeda58c47bb685ce9c232ffd4ddd5bae784d', '2fxdq7gpvc', '2026-11-21 09:19:15.336663+00');
INSERT INTO public.heard VALUES ('slack:click:1795250794.456042:1795250797.014074:U0BEN:aisq.approve', 'v0=b18e9c524aba962d7cff3b1e57b81b4dbf5f694452cbedee7a0a0b9c2a95c0ec', '43x1dcw9g6', '2026-11-21 09:51:17.777287+00');
INSERT INTO public.leases VALUES ('d846f476e0d04c9f90258564f46739ad', 1795250801.817752, 'vm');
INSERT INTO public.messages VALUES ('2fxdq7gpvc', '{"channel": "C0AISQ", "ts": "1795250794.656766"}', 2, NULL);
INSERT INTO public.messages VALUES ('43x1dcw9g6', '{}', 2, NULL);
INSERT INTO public.messages VALUES ('yk0cz0sf6v', '{"channel": "C0AISQ", "ts": "1795250794.456042"}', 6, NULL);
INSERT INTO public.mutexes VALUES ('ai-square/prod/backend', 'yk0cz0sf6v', 'd846f476e0d04c9f90258564f46739ad', 1);
INSERT INTO public.operations VALUES ('2fxdq7gpvc', '{"id": "2fxdq7gpvc", "actor": {"id": "slack:U0ANA", "name": "Ana Alvarez", "roles": ["sre-oncall"], "active": true, "zone": "Europe/Berlin"}, "operation": "rollback", "verb": "plan", "params": {"service": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}}, "target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "text": "rollback frontend", "address": {"door": "slack", "place": {"channel": "C0AISQ", "user": "U0ANA", "team": "T0AISQ", "response_url": "http://127.0.0.1:46659/hooks/393f948fe32779785d06415e"}}, "channel": "C0AISQ", "received_at": "2026-11-21T09:19:07.305557Z"}', 'rollback', 'plan', 'slack:U0ANA', 'ai-square/prod/frontend', '2026-11-21 09:19:15.336663+00', '2026-11-21 09:35:48.838684+00', 'waiting', 2, 'ai-square/prod/frontend: all traffic to frontend-00023-tob, away from frontend-00024-bad 100 %', '{"target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "version": "24", "summary": "ai-square/prod/frontend: all traffic to frontend-00023-tob, away from frontend-00024-bad 100 %", "steps": [{"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "traffic": {"frontend-00023-tob": 100}}, "title": "send all traffic to frontend-00023-tob", "undo": {"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "frontend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "frontend"}}, "traffic": {"frontend-00024-bad": 100}}, "title": "", "undo": null, "deadline_s": 0, "if_broken": "undo"}, "deadline_s": 0, "if_broken": "undo"}, {"kind": "check", "verb": "serving", "args": {"traffic": {"frontend-00023-tob": 100}}, "title": "see that it serves", "undo": null, "deadline_s": 120, "if_broken": "report"}], "afterwards": [{"kind": "judge", "verb": "errors", "args": {}, "title": "compare errors before and after", "undo": null, "deadline_s": 1200, "if_broken": "undo"}], "verdict": {"findings": [{"level": "good", "subject": "image", "sentence": "image sha256:ac48227e0564 is in the registry", "unread": false}, {"level": "good", "subject": "capacity", "sentence": "up to 50 instances, no fewer than now", "unread": false}, {"level": "good", "subject": "health", "sentence": "frontend-00023-tob served all traffic until 2026-11-21 09:03 UTC with 0.04 % errors in 2,402,681 requests", "unread": false}]}, "hold": {"traffic": {"frontend-00023-tob": 100}, "away_from": ["frontend-00024-bad"]}, "lets_go": false, "notes": ["Traffic then stays at frontend-00023-tob: new releases get none until `unpin ai-square/prod/frontend`."], "by_hand": ["gcloud run services update-traffic frontend --to-revisions=frontend-00023-tob=100 --region=us-central1 --project=ai-square-prod"], "undo_by_hand": ["gcloud run services update-traffic frontend --to-revisions=frontend-00024-bad=100 --region=us-central1 --project=ai-square-prod"], "chosen": {"to": "frontend-00023-tob"}, "facts": {"traffic": {"frontend-00024-bad": 100}, "traffic_moved_pct": 100}, "measured": {"error_rate_pct": 7.635937270995163}, "why": ""}', '72b668515fb1b7f87fa6de06655484cf82a1e05cb57b497186c63ec9e061c14c', 1, 'grant.prod.rollout', '2026-11-22 09:35:47.191021+00', NULL, '', 0, '', '', NULL);
INSERT INTO public.operations VALUES ('43x1dcw9g6', '{"id": "43x1dcw9g6", "actor": {"id": "slack:U0BEN", "name": "Ben Brooks", "roles": ["sre-oncall"], "active": true, "zone": "America/New_York"}, "operation": "approve", "verb": "act", "params": {"operation": {"id": "yk0cz0sf6v", "operation": "rollback", "requester": "slack:U0ANA", "target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}}, "digest": "50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37"}, "target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "text": "approve yk0cz0sf6v --digest 50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37", "address": {"door": "slack", "place": {"channel": "C0AISQ", "user": "U0BEN", "team": "T0AISQ", "response_url": "http://127.0.0.1:46659/hooks/c69172f0fb53f7939fb2cc2d"}}, "channel": "C0AISQ", "received_at": "2026-11-21T09:51:07.257377Z"}', 'approve', 'act', 'slack:U0BEN', 'ai-square/prod/backend', '2026-11-21 09:51:17.777287+00', '2026-11-21 09:58:47.002737+00', 'answered', 2, '', NULL, '', 0, '', NULL, NULL, '', 0, '', '', '{"title": "Approved yk0cz0sf6v", "parts": [{"is_": "text", "text": "rollback backend; it begins now", "mood": "good"}], "good": true}');
INSERT INTO public.operations VALUES ('yk0cz0sf6v', '{"id": "yk0cz0sf6v", "actor": {"id": "slack:U0ANA", "name": "Ana Alvarez", "roles": ["sre-oncall"], "active": true, "zone": "Europe/Berlin"}, "operation": "rollback", "verb": "plan", "params": {"service": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}}, "target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "text": "rollback backend", "address": {"door": "slack", "place": {"channel": "C0AISQ", "user": "U0ANA", "team": "T0AISQ", "response_url": "http://127.0.0.1:46659/hooks/149e81b7bb0e7d10f4cb2c4a"}}, "channel": "C0AISQ", "received_at": "2026-11-21T09:18:00.333802Z"}', 'rollback', 'plan', 'slack:U0ANA', 'ai-square/prod/backend', '2026-11-21 09:18:15.503017+00', '2026-11-21 10:14:07.018096+00', 'running', 6, 'in progress', '{"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "version": "42", "summary": "ai-square/prod/backend: all traffic to backend-00041-kex, away from backend-00042-bad 100 %", "steps": [{"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "traffic": {"backend-00041-kex": 100}}, "title": "send all traffic to backend-00041-kex", "undo": {"kind": "call", "verb": "Compute.set_traffic", "args": {"target": {"system": "ai-square", "environment": "prod", "name": "backend", "kind": "service", "type": "cloud_run", "cloud": "gcp", "place": {"project": "ai-square-prod", "region": "us-central1", "service": "backend"}}, "traffic": {"backend-00042-bad": 100}}, "title": "", "undo": null, "deadline_s": 0, "if_broken": "undo"}, "deadline_s": 0, "if_broken": "undo"}, {"kind": "check", "verb": "serving", "args": {"traffic": {"backend-00041-kex": 100}}, "title": "see that it serves", "undo": null, "deadline_s": 120, "if_broken": "report"}], "afterwards": [{"kind": "judge", "verb": "errors", "args": {}, "title": "compare errors before and after", "undo": null, "deadline_s": 1200, "if_broken": "undo"}], "verdict": {"findings": [{"level": "good", "subject": "image", "sentence": "image sha256:24302b5749ed is in the registry", "unread": false}, {"level": "good", "subject": "secrets", "sentence": "secret database-url version 4 is enabled", "unread": false}, {"level": "good", "subject": "secrets", "sentence": "secret jwt-signing-key version 2 is enabled", "unread": false}, {"level": "good", "subject": "capacity", "sentence": "up to 100 instances, no fewer than now", "unread": false}, {"level": "good", "subject": "health", "sentence": "backend-00041-kex served all traffic until 2026-11-21 09:03 UTC with 0.04 % errors in 2,579,757 requests", "unread": false}]}, "hold": {"traffic": {"backend-00041-kex": 100}, "away_from": ["backend-00042-bad"]}, "lets_go": false, "notes": ["Traffic then stays at backend-00041-kex: new releases get none until `unpin ai-square/prod/backend`."], "by_hand": ["gcloud run services update-traffic backend --to-revisions=backend-00041-kex=100 --region=us-central1 --project=ai-square-prod"], "undo_by_hand": ["gcloud run services update-traffic backend --to-revisions=backend-00042-bad=100 --region=us-central1 --project=ai-square-prod"], "chosen": {"to": "backend-00041-kex"}, "facts": {"traffic": {"backend-00042-bad": 100}, "traffic_moved_pct": 100}, "measured": {"error_rate_pct": 8.432760364004045}, "why": ""}', '50464a3e56a2c0c48368832966bbca05f84e7a0028f90abe4c7675646cef2a37', 1, 'grant.prod.rollout', '2026-11-22 09:38:56.692735+00', NULL, '', 1, '', '', NULL);
INSERT INTO public.serving VALUES ('ai-square/prod/backend', '2026-11-21 09:16:03.890096+00', '2026-11-21 10:15:05.66127+00', '{"backend-00042-bad": 100}', '42', 33723, 2657, '2026-11-21 10:12:03.890096+00');
INSERT INTO public.serving VALUES ('ai-square/prod/frontend', '2026-11-21 09:16:15.810906+00', '2026-11-21 10:15:43.65823+00', '{"frontend-00024-bad": 100}', '24', 47136, 3709, '2026-11-21 10:12:15.810906+00');
ALTER TABLE ONLY dbos.application_versions
    ADD CONSTRAINT application_versions_pkey PRIMARY KEY (version_id);
ALTER TABLE ONLY dbos.application_versions
    ADD CONSTRAINT application_versions_version_name_key UNIQUE (version_name);
ALTER TABLE ONLY dbos.dbos_migrations
    ADD CONSTRAINT dbos_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY dbos.event_dispatch_kv
    ADD CONSTRAINT event_dispatch_kv_pkey PRIMARY KEY (service_name, workflow_fn_name, key);
ALTER TABLE ONLY dbos.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (message_uuid);
ALTER TABLE ONLY dbos.operation_outputs
    ADD CONSTRAINT operation_outputs_pkey PRIMARY KEY (workflow_uuid, function_id);
ALTER TABLE ONLY dbos.queues
    ADD CONSTRAINT queues_name_key UNIQUE (name);
ALTER TABLE ONLY dbos.queues
    ADD CONSTRAINT queues_pkey PRIMARY KEY (queue_id);
ALTER TABLE ONLY dbos.streams
    ADD CONSTRAINT streams_pkey PRIMARY KEY (workflow_uuid, key, "offset");
ALTER TABLE ONLY dbos.workflow_events_history
    ADD CONSTRAINT workflow_events_history_pkey PRIMARY KEY (workflow_uuid, function_id, key);
ALTER TABLE ONLY dbos.workflow_events
    ADD CONSTRAINT workflow_events_pkey PRIMARY KEY (workflow_uuid, key);
ALTER TABLE ONLY dbos.workflow_input
    ADD CONSTRAINT workflow_input_pkey PRIMARY KEY (workflow_uuid);
ALTER TABLE ONLY dbos.workflow_output
    ADD CONSTRAINT workflow_output_pkey PRIMARY KEY (workflow_uuid);
ALTER TABLE ONLY dbos.workflow_schedules
    ADD CONSTRAINT workflow_schedules_pkey PRIMARY KEY (schedule_id);
ALTER TABLE ONLY dbos.workflow_schedules
    ADD CONSTRAINT workflow_schedules_schedule_name_key UNIQUE (schedule_name);
ALTER TABLE ONLY dbos.workflow_status
    ADD CONSTRAINT workflow_status_pkey PRIMARY KEY (workflow_uuid);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_pkey PRIMARY KEY (operation, approver);
ALTER TABLE ONLY public.audit_ends
    ADD CONSTRAINT audit_ends_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_hash_key UNIQUE (hash);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.effects
    ADD CONSTRAINT effects_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.heard
    ADD CONSTRAINT heard_pkey PRIMARY KEY (heard_as);
ALTER TABLE ONLY public.heard
    ADD CONSTRAINT heard_signature_key UNIQUE (signature);
ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (executor);
ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (operation);
ALTER TABLE ONLY public.mutexes
    ADD CONSTRAINT mutexes_pkey PRIMARY KEY (target);
ALTER TABLE ONLY public.operations
    ADD CONSTRAINT operations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.pins
    ADD CONSTRAINT pins_pkey PRIMARY KEY (target);
ALTER TABLE ONLY public.serving
    ADD CONSTRAINT serving_pkey PRIMARY KEY (target, since);
CREATE INDEX idx_application_versions_owner_timestamp ON dbos.application_versions USING btree (application_name, version_timestamp DESC);
CREATE INDEX idx_application_versions_timestamp ON dbos.application_versions USING btree (version_timestamp DESC);
CREATE INDEX idx_operation_outputs_completed_at_function_name_v2 ON dbos.operation_outputs USING btree (completed_at_epoch_ms, function_name) INCLUDE (application_name);
CREATE INDEX idx_operation_outputs_retention ON dbos.operation_outputs USING btree (retention_timestamp);
CREATE INDEX idx_workflow_input_retention ON dbos.workflow_input USING btree (retention_timestamp);
CREATE INDEX idx_workflow_output_retention ON dbos.workflow_output USING btree (retention_timestamp);
CREATE INDEX idx_workflow_status_attributes ON dbos.workflow_status USING gin (attributes) WHERE (attributes IS NOT NULL);
CREATE INDEX idx_workflow_status_completed_at ON dbos.workflow_status USING btree (completed_at) WHERE (completed_at IS NOT NULL);
CREATE INDEX idx_workflow_status_deadline ON dbos.workflow_status USING btree (workflow_deadline_epoch_ms) WHERE ((status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text, 'DELAYED'::text])) AND (workflow_deadline_epoch_ms IS NOT NULL));
CREATE INDEX idx_workflow_status_delayed ON dbos.workflow_status USING btree (delay_until_epoch_ms) WHERE (status = 'DELAYED'::text);
CREATE INDEX idx_workflow_status_failed ON dbos.workflow_status USING btree (status, created_at) WHERE (status = ANY (ARRAY['ERROR'::text, 'CANCELLED'::text, 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'::text]));
CREATE INDEX idx_workflow_status_forked_from ON dbos.workflow_status USING btree (forked_from) WHERE (forked_from IS NOT NULL);
CREATE INDEX idx_workflow_status_in_flight_v2 ON dbos.workflow_status USING btree (queue_name, status, priority, created_at) INCLUDE (application_name) WHERE (status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text]));
CREATE INDEX idx_workflow_status_parent_workflow_id ON dbos.workflow_status USING btree (parent_workflow_id) WHERE (parent_workflow_id IS NOT NULL);
CREATE INDEX idx_workflow_status_partition_dequeue_v3 ON dbos.workflow_status USING btree (queue_name, status, queue_partition_key, priority, created_at, workflow_uuid) INCLUDE (application_name) WHERE ((status = ANY (ARRAY['ENQUEUED'::text, 'PENDING'::text])) AND (queue_partition_key IS NOT NULL));
CREATE INDEX idx_workflow_status_pending ON dbos.workflow_status USING btree (created_at) WHERE (status = 'PENDING'::text);
CREATE INDEX idx_workflow_status_rate_limited ON dbos.workflow_status USING btree (queue_name, started_at_epoch_ms) WHERE (rate_limited = true);
CREATE INDEX idx_workflow_status_schedule_name ON dbos.workflow_status USING btree (schedule_name) WHERE (schedule_name IS NOT NULL);
CREATE INDEX idx_workflow_status_started_at ON dbos.workflow_status USING btree (started_at_epoch_ms) WHERE (started_at_epoch_ms IS NOT NULL);
CREATE INDEX idx_workflow_topic ON dbos.notifications USING btree (destination_uuid, topic);
CREATE UNIQUE INDEX uq_application_versions_owner_version ON dbos.application_versions USING btree (application_name, version_name) WHERE (application_name IS NOT NULL);
CREATE UNIQUE INDEX uq_application_versions_unclaimed_version ON dbos.application_versions USING btree (version_name) WHERE (application_name IS NULL);
CREATE UNIQUE INDEX uq_workflow_status_dedup_id ON dbos.workflow_status USING btree (queue_name, deduplication_id) WHERE (deduplication_id IS NOT NULL);
CREATE INDEX workflow_status_created_at_index ON dbos.workflow_status USING btree (created_at);
CREATE INDEX ix_audit_at ON public.audit USING btree (at);
CREATE INDEX ix_audit_operation ON public.audit USING btree (operation);
CREATE INDEX ix_effects_operation ON public.effects USING btree (operation);
CREATE INDEX ix_heard_at ON public.heard USING btree (at);
CREATE INDEX ix_operations_created_at ON public.operations USING btree (created_at);
CREATE INDEX ix_operations_judged ON public.operations USING btree (judged);
CREATE INDEX ix_operations_state ON public.operations USING btree (state);
CREATE INDEX ix_operations_target_state ON public.operations USING btree (target, state);
ALTER TABLE ONLY dbos.notifications
    ADD CONSTRAINT notifications_destination_uuid_fkey FOREIGN KEY (destination_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY dbos.streams
    ADD CONSTRAINT streams_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY dbos.workflow_events_history
    ADD CONSTRAINT workflow_events_history_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY dbos.workflow_events
    ADD CONSTRAINT workflow_events_workflow_uuid_fkey FOREIGN KEY (workflow_uuid) REFERENCES dbos.workflow_status(workflow_uuid) ON UPDATE CASCADE ON DELETE CASCADE;
ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_operation_fkey FOREIGN KEY (operation) REFERENCES public.operations(id);
ALTER TABLE ONLY public.effects
    ADD CONSTRAINT effects_operation_fkey FOREIGN KEY (operation) REFERENCES public.operations(id);
ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_operation_fkey FOREIGN KEY (operation) REFERENCES public.operations(id);
