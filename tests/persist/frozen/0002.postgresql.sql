CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.attendance (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    utc bigint NOT NULL,
    received_at bigint NOT NULL,
    pin text NOT NULL COLLATE pg_catalog."C",
    "time" text NOT NULL COLLATE pg_catalog."C",
    status integer NOT NULL,
    verify integer NOT NULL,
    work_code text,
    reserved_1 text,
    reserved_2 text,
    id_number text,
    record_type integer,
    mask integer,
    temperature double precision,
    converted_temperature double precision,
    time_offset integer,
    extend_data text,
    extra text,
    raw bytea
);
CREATE SEQUENCE public.attendance_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.attendance_id_seq OWNED BY public.attendance.id;
CREATE TABLE public.commands (
    seq bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    device_id bigint NOT NULL,
    command text NOT NULL,
    params text NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    lease_until bigint,
    return_code bigint,
    result text,
    created_at bigint NOT NULL,
    sent_at bigint,
    finished_at bigint
);
CREATE SEQUENCE public.commands_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.commands_seq_seq OWNED BY public.commands.seq;
CREATE TABLE public.devices (
    id bigint NOT NULL,
    sn text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL,
    alias text,
    area text,
    timezone text NOT NULL,
    session text NOT NULL,
    push_version text,
    language text,
    device_type text,
    comm_key text,
    offered_comm_key text,
    told_time_zone text,
    address text,
    firmware text,
    created_at bigint NOT NULL,
    last_seen_at bigint,
    settings text DEFAULT '{}'::text NOT NULL,
    options text DEFAULT '{}'::text NOT NULL,
    attributes text DEFAULT '{}'::text NOT NULL,
    counts text DEFAULT '{}'::text NOT NULL,
    problems text DEFAULT '[]'::text NOT NULL,
    revision bigint DEFAULT 0 NOT NULL
);
CREATE SEQUENCE public.devices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.devices_id_seq OWNED BY public.devices.id;
CREATE TABLE public.leases (
    name text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL,
    until bigint NOT NULL
);
CREATE TABLE public.rejects (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    table_name text NOT NULL,
    reason text NOT NULL,
    raw bytea NOT NULL,
    digest bytea NOT NULL,
    received_at bigint NOT NULL
);
CREATE SEQUENCE public.rejects_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.rejects_id_seq OWNED BY public.rejects.id;
CREATE TABLE public.removed_devices (
    sn text NOT NULL COLLATE pg_catalog."C",
    revision bigint NOT NULL
);
CREATE TABLE public.stamps (
    device_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL
);
ALTER TABLE ONLY public.attendance ALTER COLUMN id SET DEFAULT nextval('public.attendance_id_seq'::regclass);
ALTER TABLE ONLY public.commands ALTER COLUMN seq SET DEFAULT nextval('public.commands_seq_seq'::regclass);
ALTER TABLE ONLY public.devices ALTER COLUMN id SET DEFAULT nextval('public.devices_id_seq'::regclass);
ALTER TABLE ONLY public.rejects ALTER COLUMN id SET DEFAULT nextval('public.rejects_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0002');
INSERT INTO public.attendance VALUES (1, 1, 1438262188, 1772366400010, '1452', '2015-07-30 15:16:28', 0, 1, '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (2, 1, 1438262188, 1772366400010, '1452', '2015-07-30 15:16:28', 1, 1, '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (3, 1, 1767596400, 1772366400010, '7', '2026-01-05 08:00:00', 255, 15, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (4, 1, 1767596430, 1772366400010, '8', '2026-01-05 08:00:30', 0, 1, '3', 'r1', 'r2', '999999200001011239', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (5, 1, 1767571260, 1772366400010, '9', '2026-01-05 08:01:00', 0, 1, '0', '0', '0', NULL, NULL, 1, 36.6, NULL, 28800, 'e30=', '{"ConvTemperature":"x","Column13":"more"}', NULL);
INSERT INTO public.attendance VALUES (6, 1, 1767596520, 1772366400010, '10', '2026-01-05 08:02:00', 0, 1, '0', '0', '0', NULL, NULL, 0, 36.5, 97.7, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (7, 1, 1774747800, 1772366400010, 'M�fcller', '2026-03-29 02:30:00', 0, 1, '0', '0', '0', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '\x4dfc6c6c657209323032362d30332d32392030323a33303a303009300931093009300930');
INSERT INTO public.attendance VALUES (8, 3, 946684799, 1772366400020, '3', '1999-12-31 23:59:59', 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.commands VALUES (1, 'mm1k0', 1, 'INFO', '{}', 'queued', 0, NULL, NULL, NULL, 1772366400040, NULL, NULL);
INSERT INTO public.commands VALUES (6, 'mm1k5', 1, 'DATA UPDATE USERINFO', '{"PIN":"7","Name":"Ä b"}', 'queued', 0, NULL, NULL, NULL, 1772366400045, NULL, NULL);
INSERT INTO public.commands VALUES (5, 'mm1k4', 1, 'CLEAR LOG', '{}', 'expired', 2, 1772366400100, NULL, NULL, 1772366400044, 1772366400070, 1772366400200);
INSERT INTO public.commands VALUES (2, 'mm1k1', 1, 'CHECK', '{}', 'done', 1, 1772366700000, 0, '{"MAC":"00:17:61","~DeviceName":"Gate"}', 1772366400041, 1772366400050, 1772366400060);
INSERT INTO public.commands VALUES (3, 'mm1k2', 1, 'REBOOT', '{}', 'failed', 1, 1772366700000, -1002, NULL, 1772366400042, 1772366400050, 1772366400061);
INSERT INTO public.commands VALUES (4, 'mm1k3', 1, 'LOG', '{}', 'cancelled', 1, 1772366700000, NULL, NULL, 1772366400043, 1772366400050, 1772366400062);
INSERT INTO public.devices VALUES (2, 'GATE000002', 'pending', NULL, NULL, 'Asia/Kolkata', 'new', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1772366401000, NULL, '{}', '{}', '{}', '{}', '[]', 754);
INSERT INTO public.devices VALUES (3, 'OLD_1', 'blocked', NULL, NULL, 'UTC', 'new', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1772366402000, NULL, '{}', '{}', '{}', '{}', '[]', 755);
INSERT INTO public.devices VALUES (1, 'GATE000001', 'approved', 'Main gate – Tür 1', 'Yard', 'Europe/Madrid', 'ready', '2.4.1', '69', 'att', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', '1', '192.0.2.7', 'Ver 8.0.4.3', 1772366400000, 1772366405000, '{"Delay":5,"TransFlag":"digits"}', '{"FWVersion":"Ver 8.0.4.3","~MaxAttLogCount":"10"}', '{"PushOptionsFlag":"1","DeviceName":"Gate Ä","functions":"111"}', '{"users":212,"fingerprints":390}', '[{"code":"clock","detail":"an hour ahead","since_at":1772366400000}]', 755);
INSERT INTO public.leases VALUES ('time zones', 'node-1 4711', 1772366490000);
INSERT INTO public.rejects VALUES (1, 1, 'ATTLOG', 'Time: ''rubbish'' is not a time', '\x37097275626269736800fffe', '\x94cada6cc534fa335fa8d94d858a2b3a3946f5a0e0a50780109ca20d963c25d5', 1772366400030);
INSERT INTO public.rejects VALUES (2, 1, 'NEWTABLE', 'no handler takes this table', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', '\xbcfa1ddcbced35ac164e0a3e44b897d537168ddf16b20c3ec8745fec1d50ddb2', 1772366400030);
INSERT INTO public.removed_devices VALUES ('GONE_1', 755);
INSERT INTO public.stamps VALUES (1, 'ATTLOG', '9999');
INSERT INTO public.stamps VALUES (1, 'OPERLOG', '2026-03-01 08:00:00');
INSERT INTO public.stamps VALUES (3, 'ATTLOG', 'None');
SELECT pg_catalog.setval('public.attendance_id_seq', 8, true);
SELECT pg_catalog.setval('public.commands_seq_seq', 6, true);
SELECT pg_catalog.setval('public.devices_id_seq', 4, true);
SELECT pg_catalog.setval('public.rejects_id_seq', 2, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.attendance
    ADD CONSTRAINT attendance_identity UNIQUE ("time", device_id, pin, status, verify);
ALTER TABLE ONLY public.attendance
    ADD CONSTRAINT attendance_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.commands
    ADD CONSTRAINT commands_id_key UNIQUE (id);
ALTER TABLE ONLY public.commands
    ADD CONSTRAINT commands_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_sn_key UNIQUE (sn);
ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.rejects
    ADD CONSTRAINT rejects_identity UNIQUE (device_id, digest);
ALTER TABLE ONLY public.rejects
    ADD CONSTRAINT rejects_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.removed_devices
    ADD CONSTRAINT removed_devices_pkey PRIMARY KEY (sn);
ALTER TABLE ONLY public.stamps
    ADD CONSTRAINT stamps_pkey PRIMARY KEY (device_id, name);
CREATE INDEX commands_of_device ON public.commands USING btree (device_id, seq);
CREATE INDEX commands_open ON public.commands USING btree (device_id, seq) WHERE (state = ANY (ARRAY['queued'::text, 'sent'::text]));
CREATE INDEX devices_revision ON public.devices USING btree (revision);
ALTER TABLE ONLY public.attendance
    ADD CONSTRAINT attendance_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.commands
    ADD CONSTRAINT commands_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.rejects
    ADD CONSTRAINT rejects_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.stamps
    ADD CONSTRAINT stamps_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
