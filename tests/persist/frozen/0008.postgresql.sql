CREATE FUNCTION public.audit_is_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
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
    raw bytea,
    doubt text
);
CREATE SEQUENCE public.attendance_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.attendance_id_seq OWNED BY public.attendance.id;
CREATE TABLE public.attendance_photos (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    received_at bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    picture text NOT NULL COLLATE pg_catalog."C",
    size integer NOT NULL,
    kind integer,
    pin text,
    id_number text,
    "time" text,
    utc bigint,
    doubt text,
    command text,
    raw bytea,
    extra bytea
);
CREATE SEQUENCE public.attendance_photos_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.attendance_photos_id_seq OWNED BY public.attendance_photos.id;
CREATE TABLE public.audit (
    id bigint NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail text
);
CREATE SEQUENCE public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audit_id_seq OWNED BY public.audit.id;
CREATE TABLE public.commands (
    seq bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    device_id bigint NOT NULL,
    command text NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    lease_until bigint,
    return_code bigint,
    created_at bigint NOT NULL,
    sent_at bigint,
    finished_at bigint,
    idempotency_key text COLLATE pg_catalog."C",
    records integer DEFAULT 0 NOT NULL,
    result bytea,
    body bytea DEFAULT '\x'::bytea NOT NULL,
    folders text DEFAULT ''::text NOT NULL
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
    counts text DEFAULT '{}'::text NOT NULL,
    problems text DEFAULT '[]'::text NOT NULL,
    revision bigint DEFAULT 0 NOT NULL,
    options bytea,
    attributes bytea,
    networks text DEFAULT '[]'::text NOT NULL,
    encryption text,
    cipher text,
    generation bigint DEFAULT 0 NOT NULL,
    token_policy text DEFAULT 'check'::text NOT NULL,
    tokens text DEFAULT '[]'::text NOT NULL
);
CREATE SEQUENCE public.devices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.devices_id_seq OWNED BY public.devices.id;
CREATE TABLE public.entries (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    table_name text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    updated_at bigint NOT NULL,
    digest bytea DEFAULT '\x'::bytea NOT NULL,
    fields bytea DEFAULT '\x'::bytea CONSTRAINT entries_fields_not_null1 NOT NULL
);
CREATE SEQUENCE public.entries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.entries_id_seq OWNED BY public.entries.id;
CREATE TABLE public.errors (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    received_at bigint NOT NULL,
    identity bytea NOT NULL,
    code text NOT NULL,
    message text,
    origin text,
    command_id text,
    additional text,
    extra text,
    raw bytea
);
CREATE SEQUENCE public.errors_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.errors_id_seq OWNED BY public.errors.id;
CREATE TABLE public.events (
    id bigint NOT NULL,
    kind text NOT NULL,
    data text NOT NULL,
    at bigint NOT NULL
);
CREATE SEQUENCE public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.events_id_seq OWNED BY public.events.id;
CREATE TABLE public.files (
    id bigint NOT NULL,
    name text NOT NULL,
    size bigint NOT NULL,
    content text NOT NULL,
    origin text,
    created_at bigint NOT NULL,
    md5 bytea DEFAULT '\x'::bytea CONSTRAINT files_md5_not_null1 NOT NULL
);
CREATE SEQUENCE public.files_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.files_id_seq OWNED BY public.files.id;
CREATE TABLE public.holdings (
    table_name text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    device_id bigint NOT NULL,
    digest bytea NOT NULL,
    at bigint NOT NULL
);
CREATE TABLE public.idcards (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    received_at bigint NOT NULL,
    identity bytea NOT NULL,
    pin text NOT NULL,
    card_number text,
    id_number text,
    document_number text,
    name text,
    gender integer,
    nation integer,
    birthday text,
    validity text,
    address text,
    additional_address text,
    issuer text,
    reserved text,
    notice text,
    raw bytea,
    photo bytea,
    fingerprint_1 bytea,
    fingerprint_2 bytea,
    extra bytea
);
CREATE SEQUENCE public.idcards_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.idcards_id_seq OWNED BY public.idcards.id;
CREATE TABLE public.keys (
    id text NOT NULL COLLATE pg_catalog."C",
    site text NOT NULL COLLATE pg_catalog."C",
    purpose text NOT NULL,
    wrapped bytea NOT NULL
);
CREATE TABLE public.leases (
    name text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL,
    until bigint NOT NULL
);
CREATE TABLE public.operations (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    utc bigint NOT NULL,
    doubt text,
    received_at bigint NOT NULL,
    identity bytea NOT NULL,
    code integer NOT NULL,
    operator text,
    "time" text NOT NULL COLLATE pg_catalog."C",
    value_1 text,
    value_2 text,
    value_3 text,
    value_4 text,
    extra text,
    raw bytea
);
CREATE SEQUENCE public.operations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.operations_id_seq OWNED BY public.operations.id;
CREATE TABLE public.person_photos (
    id bigint NOT NULL,
    device_id bigint,
    updated_at bigint,
    kind text NOT NULL COLLATE pg_catalog."C",
    picture text,
    pin text NOT NULL COLLATE pg_catalog."C",
    number integer NOT NULL,
    index integer NOT NULL,
    name text,
    type integer NOT NULL,
    size integer,
    format integer,
    url text,
    raw bytea,
    extra bytea
);
CREATE SEQUENCE public.person_photos_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.person_photos_id_seq OWNED BY public.person_photos.id;
CREATE TABLE public.pictures (
    digest text NOT NULL COLLATE pg_catalog."C",
    content bytea NOT NULL
);
CREATE TABLE public.rejects (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    table_name text NOT NULL,
    raw bytea NOT NULL,
    digest bytea NOT NULL,
    received_at bigint NOT NULL,
    reason bytea DEFAULT '\x'::bytea CONSTRAINT rejects_reason_not_null1 NOT NULL
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
CREATE TABLE public.sessions (
    device_id bigint NOT NULL,
    secret bytea,
    generation bigint,
    suite text,
    state bytea,
    number bigint,
    next_generation bigint,
    next_suite text,
    next_state bytea,
    next_step text
);
CREATE TABLE public.stamps (
    device_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL
);
CREATE TABLE public.templates (
    id bigint NOT NULL,
    device_id bigint,
    updated_at bigint,
    form text,
    pin text NOT NULL COLLATE pg_catalog."C",
    number integer NOT NULL,
    index integer NOT NULL,
    valid integer,
    duress integer,
    type integer NOT NULL,
    major_version integer NOT NULL,
    minor_version integer NOT NULL,
    format text,
    template bytea NOT NULL,
    raw bytea,
    digest bytea,
    extra bytea
);
CREATE SEQUENCE public.templates_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.templates_id_seq OWNED BY public.templates.id;
CREATE TABLE public.tokens (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL,
    scopes text NOT NULL,
    created_at bigint NOT NULL,
    created_by text NOT NULL,
    expires_at bigint,
    last_used_at bigint
);
CREATE SEQUENCE public.tokens_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.tokens_id_seq OWNED BY public.tokens.id;
CREATE TABLE public.unfinished (
    name text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.users (
    id bigint NOT NULL,
    device_id bigint,
    updated_at bigint,
    pin text NOT NULL COLLATE pg_catalog."C",
    name text,
    privilege integer,
    card text,
    "group" integer,
    timezones text,
    verify integer,
    vice_card text,
    start_datetime text,
    end_datetime text,
    expires text,
    raw bytea,
    password bytea,
    extra bytea
);
CREATE SEQUENCE public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;
CREATE TABLE public.versions (
    table_name text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL
);
ALTER TABLE ONLY public.attendance ALTER COLUMN id SET DEFAULT nextval('public.attendance_id_seq'::regclass);
ALTER TABLE ONLY public.attendance_photos ALTER COLUMN id SET DEFAULT nextval('public.attendance_photos_id_seq'::regclass);
ALTER TABLE ONLY public.audit ALTER COLUMN id SET DEFAULT nextval('public.audit_id_seq'::regclass);
ALTER TABLE ONLY public.commands ALTER COLUMN seq SET DEFAULT nextval('public.commands_seq_seq'::regclass);
ALTER TABLE ONLY public.devices ALTER COLUMN id SET DEFAULT nextval('public.devices_id_seq'::regclass);
ALTER TABLE ONLY public.entries ALTER COLUMN id SET DEFAULT nextval('public.entries_id_seq'::regclass);
ALTER TABLE ONLY public.errors ALTER COLUMN id SET DEFAULT nextval('public.errors_id_seq'::regclass);
ALTER TABLE ONLY public.events ALTER COLUMN id SET DEFAULT nextval('public.events_id_seq'::regclass);
ALTER TABLE ONLY public.files ALTER COLUMN id SET DEFAULT nextval('public.files_id_seq'::regclass);
ALTER TABLE ONLY public.idcards ALTER COLUMN id SET DEFAULT nextval('public.idcards_id_seq'::regclass);
ALTER TABLE ONLY public.operations ALTER COLUMN id SET DEFAULT nextval('public.operations_id_seq'::regclass);
ALTER TABLE ONLY public.person_photos ALTER COLUMN id SET DEFAULT nextval('public.person_photos_id_seq'::regclass);
ALTER TABLE ONLY public.rejects ALTER COLUMN id SET DEFAULT nextval('public.rejects_id_seq'::regclass);
ALTER TABLE ONLY public.templates ALTER COLUMN id SET DEFAULT nextval('public.templates_id_seq'::regclass);
ALTER TABLE ONLY public.tokens ALTER COLUMN id SET DEFAULT nextval('public.tokens_id_seq'::regclass);
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0008');
INSERT INTO public.attendance VALUES (1, 1, 1767596400, 1772366400000, '7', '2026-01-05 08:00:00', 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (2, 1, 1767596430, 1772366400000, '8', '2026-01-05 08:00:30', 255, 15, '3', 'r1', 'r2', '999999200001011239', 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (3, 1, 1767596460, 1772366400000, '9', '2026-01-05 08:01:00', 0, 1, '0', '0', '0', NULL, NULL, NULL, NULL, 1, NULL, 'x', '{"TimeOffset":"36.6","Column13":"more"}', NULL, NULL);
INSERT INTO public.attendance VALUES (4, 1, 1767628800, 1772366400000, '7', '2026-01-05 17:00:00', 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (5, 1, 1774747800, 1772366400000, 'M�fcller', '2026-03-29 02:30:00', 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '\x4dfc6c6c657209323032362d30332d32392030323a33303a303009300931', 'future');
INSERT INTO public.attendance VALUES (6, 2, 1767686400, 1772366400000, '8', '2026-01-06 08:00:00', 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (7, 10, 1767603600, 1772366400000, '9', '2026-01-05 09:00:00', 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance_photos VALUES (1, 1, 1772366400000, '20260105080000-7.jpg', 'fe46f308a535199868595da55d163a179099e41ce273dead1bb41c6afd6ca38d', 30, NULL, '7', NULL, '2026-01-05 08:00:00', 1767596400, NULL, 'uploadphoto', NULL, NULL);
INSERT INTO public.attendance_photos VALUES (2, 1, 1772366400000, '20260105080030-8.jpg', 'a702fb64ef2c96d8bb2e8e1c6654eada73b709f20e5334a098c55f7847261025', 33, NULL, '8', NULL, '2026-01-05 08:00:30', 1767596430, NULL, 'uploadphoto', NULL, NULL);
INSERT INTO public.audit VALUES (1, 1772366400000, 'token admin', 'change terminal', 'terminal GATE000001', 'state=approved, alias=Main gate – Tür 1, area=North, timezone=Europe/Madrid, Delay=5, networks=(''192.0.2.0/24'',); by API from 192.0.2.7');
INSERT INTO public.audit VALUES (2, 1772366400000, 'token admin', 'change terminal', 'terminal LOCK000002', 'state=approved, timezone=UTC, encryption=require, secret (not shown); by API from 192.0.2.7');
INSERT INTO public.audit VALUES (3, 1772366400000, 'token admin', 'change terminal', 'terminal QUEUE00003', 'state=approved, timezone=UTC, token_policy=require; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (4, 1772366400000, 'token admin', 'change terminal', 'terminal CHANGED006', 'state=approved; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (5, 1772366400000, 'token admin', 'change terminal', 'terminal BLOCKED007', 'state=blocked; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (6, 1772366400000, 'token admin', 'add terminal', 'terminal COMES00008', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (7, 1772366400000, 'token admin', 'change terminal', 'terminal COMES00008', 'state=approved, alias=Later; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (8, 1772366400000, 'token admin', 'remove terminal', 'terminal GONE000009', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (9, 1772366400000, 'token admin', 'change terminal', 'terminal OLD0000010', 'state=approved, timezone=UTC; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (10, 1772366400000, 'token admin', 'create token', 'token hr', 'biometrics, read; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (11, 1772366400000, 'token admin', 'create token', 'token it', 'dangerous, read, write; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (12, 1772366400000, 'token admin', 'create token', 'token gone', 'read; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (13, 1772366400000, 'token admin', 'revoke token', 'token gone', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (14, 1772366400000, 'token admin', 'add file', 'file 1', 'fw 1.bin, 266 bytes; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (15, 1772366400000, 'token admin', 'add file', 'file 2', 'ring.jpg, 34 bytes; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (16, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0hmql0v: SHELL command (not shown); by API from 192.0.2.7');
INSERT INTO public.audit VALUES (17, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo00r31gd: GetFile path=/mnt/data.bin; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (18, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0zw6iao: PutFile Action=SyncData TableName=USERINFO; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (19, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0w4561j: PutFile url=file/2/ring.jpg path=/mnt/ring.jpg; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (20, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0tamsf8: INFO; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (21, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0ryd2s2: ENROLL_FP PIN=99 FID=3 RETRY=3 OVERWRITE=0; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (22, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0xe8h4r: DATA UPDATE USERINFO PIN=7 Name=Ann Nobody Passwd (not shown); by API from 192.0.2.7');
INSERT INTO public.audit VALUES (23, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0i0ixfq: REBOOT; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (24, 1772366400000, 'token admin', 'cancel command', 'terminal QUEUE00003', 'mm7p6yo0i0ixfq: REBOOT; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (25, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo014ly5i: UPGRADE file=1 form=1; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (26, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0na7ovw: SHELL command (not shown); by API from 192.0.2.7');
INSERT INTO public.audit VALUES (27, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0akgqop: PutFile url=file/2/ring.jpg path=/mnt/ring.jpg; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (28, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0sros67: PutFile url=http://zk.example/iclock/file/2/ring.jpg path=/mnt/again.jpg; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (29, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0xwfc3c: PutFile Action=AppendData; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (30, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0ot19k2: PutFile Action=SyncData TableName=FINGERTMP; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (31, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0m2xg5a: UPGRADE file=1 form=2; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (32, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0wjp4db: DATA UPDATE USERPIC PIN=7 Url=file/2/ring.jpg; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (33, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0pie82l: SHELL command (not shown); by API from 192.0.2.7');
INSERT INTO public.audit VALUES (34, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0nrn1wo: DATA UPDATE SMS MSG=see file/1/x TAG=253 UID=5 MIN=0 StartTime=2026-03-01 00:00:00; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (35, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo05ywim6: DATA UPDATE USERINFO PIN=8 Name=Ann Nobody Passwd (not shown); by API from 192.0.2.7');
INSERT INTO public.audit VALUES (36, 1772366400000, 'token admin', 'queue command', 'terminal QUEUE00003', 'mm7p6yo0vz2vvy: REBOOT; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (37, 1772366400000, 'token admin', 'queue command', 'terminal LOCK000002', 'mm7p6yo02m2l6r: LOG; by API from 192.0.2.7');
INSERT INTO public.audit VALUES (38, 1772366400000, 'device GATE000001', 'remote attendance', 'user 7', NULL);
INSERT INTO public.audit VALUES (39, 1772366400000, 'token hr', 'read templates', 'user 7', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (40, 1772366400000, 'device GATE000001', 'refused', 'terminal is pending', 'once, from 192.0.2.7');
INSERT INTO public.audit VALUES (41, 1772366400000, 'device LOCK000002', 'refused', 'terminal is pending', 'once, from 192.0.2.7');
INSERT INTO public.audit VALUES (42, 1772366400000, 'device QUEUE00003', 'refused', 'terminal is pending', 'once, from 192.0.2.7');
INSERT INTO public.audit VALUES (43, 1772366400000, 'device WAITS00004', 'refused', 'terminal is pending', 'once, from 192.0.2.7');
INSERT INTO public.audit VALUES (44, 1772366400000, 'device PLAIN00005', 'refused', 'terminal is pending', 'once, from 192.0.2.7');
INSERT INTO public.audit VALUES (45, 1772366400000, 'device CHANGED006', 'refused', 'terminal is pending', 'once, from 192.0.2.7');
INSERT INTO public.audit VALUES (46, 1772366400000, 'device CHANGED006', 'refused', 'pushcommkey has changed', 'once, from 192.0.2.7');
INSERT INTO public.audit VALUES (47, 1772366400000, 'device BLOCKED007', 'refused', 'terminal is pending', 'once, from 192.0.2.7');
INSERT INTO public.audit VALUES (48, 1772366400000, 'device GONE000009', 'refused', 'terminal is pending', 'once, from 192.0.2.7');
INSERT INTO public.audit VALUES (49, 1772366400000, 'device OLD0000010', 'refused', 'terminal is pending', 'once, from 192.0.2.7');
INSERT INTO public.audit VALUES (50, 1772366400000, 'address 192.0.2.7', 'refused', 'API was called without a token that is good', 'once, from 192.0.2.7');
INSERT INTO public.audit VALUES (51, 1772366521000, 'token admin', 'read passwords', 'all users', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (52, 1772366521000, 'token admin', 'read identity cards', 'all terminals', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (53, 1772366521000, 'token admin', 'read bytes of rejects', 'all terminals', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (54, 1772366521000, 'token admin', 'read templates', 'user 7', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (55, 1772366521000, 'token admin', 'read photos', 'user 7', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (56, 1772366521000, 'token admin', 'read templates', 'user 8', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (57, 1772366521000, 'token admin', 'read photos', 'user 8', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (58, 1772366521000, 'token admin', 'read parameters of commands', 'terminal QUEUE00003', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (59, 1772366521000, 'token admin', 'read photos', 'attendance photo 1', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (60, 1772366521000, 'token admin', 'read photos', 'attendance photo 2', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (61, 1772366521000, 'token admin', 'read files', 'file 1', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (62, 1772366521000, 'token admin', 'read files', 'file 2', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (63, 1772366521000, 'token admin', 'read files', 'file 3', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (64, 1772366521000, 'token admin', 'read files', 'file 4', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (65, 1772366521000, 'token admin', 'read files', 'file 5', 'by API from 192.0.2.7');
INSERT INTO public.audit VALUES (66, 1772366521000, 'token admin', 'read files', 'file 6', 'by API from 192.0.2.7');
INSERT INTO public.commands VALUES (1, 'mm7p6yo0hmql0v', 3, 'SHELL', 'done', 1, 1772366700000, 0, 1772366400000, 1772366400000, 1772366400000, NULL, 0, '\x01c4f6ab8ccf7833fe0000000000000054c1efd3f3e7e260eb95844f945f3e44fbec1fab79a024ee0b988af513a2ef0197097319a544838569288a84daee58c8376c2cdf21949bffd23d853e8544be87bf0db4f17e2588ed835f6ce4ab719f2463b4d61eaf979a0e0ba762976cd4fb7ae01b2719473a1d1e6aaeb9342c0c3ea422f1eabef233c7cf72f933cfd43622c5411a303127fa795ad098f2c56f95d422f46bff987c1d0416d49d614f1ac4cbd550', '\x01c4f6ab8ccf7833fe0000000000000070a43fb5cefcb430649308500b3a3228c35e69f1a801f6aee9e8d44794252bb998ffacc5ce35159c121af09a2c7d9f9589488757761755f596399e61ddbc3f36e1455f08c30cc3f6449e3d253f891f352683eb0df4aa63bf9a54b2d794868ac7a197b3b9c59b3ac41ae88d21111ae3b9524ae34d38a34aed2137202a1cad27601555824677e6f0445aea725aa003bd1013280496587b8416eddc6e55dac537d36396f360be58f123f7ffbabb26f6a7e30fa99713828c1fa58cf0440f6c', ' file/1/ ');
INSERT INTO public.commands VALUES (2, 'mm7p6yo00r31gd', 3, 'GetFile', 'done', 1, 1772366700000, 8, 1772366400000, 1772366400000, 1772366400000, NULL, 0, '\x01c4f6ab8ccf7833fe000000000000004416c5b24d72a44d5c6886131d25541a8d484336d7a9a313d67278bb51e5a762fccd5956c6566ca2bb08b0bcbfc53f26d39c7f89acd1d6c5325efa72a6547f058f0266569cf3c45857b5e6b8a70e8c43750fbccc7cbda96f2880902bfdb38e187ca48dedb625d40d7d9a14558ac307a0169e884ea776b34a71c76a129fad2cfe9a70c422cb6d9c8398bd704e4fbfc4e323', '\x01c4f6ab8ccf7833fe00000000000000632378071effbb10b4763fc0ac973e0701c2584c9c57cc79a3b4c7f99cea2473279511bc4185777bee0b911304f78780c48a5d8f030b538092bb2805e0d1456f840282089f55120c83aebde0ec4ef888a8a4dcb5a1bb5bb84e0b728fc99d5fcda5264408947864ad22b88c765610b91812365ea69c4eaf32a72b29ea6b7132e5d9062ef1c083ccde04ad8cf8063cf355f96094eeb0dcc266cd5885a587d82af58d2f63b80497b1687971a02d8260ccd5', '');
INSERT INTO public.commands VALUES (3, 'mm7p6yo0zw6iao', 3, 'PutFile', 'done', 1, 1772366700000, 1, 1772366400000, 1772366400000, 1772366400000, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe0000000000000117a935397b33a49c27db63291f3d116bd8d7c8798b765ba82ba0c4683ebe24e2dd64a4b34e7b5de05bc3d43420be948b9651738e0c583c7c7c02c81b60e10dd15000fb9b6fb47e32393ef8300bcb1a9af6c1dd3308974e363446286b892e1ac4c2e4c87ed7c94b4e2de0a3540f730639a9aeeedee3135da39980084d5e17b14868a1a02c9bb90375682ccd27c802b80c68df37967a1e2c4baa09351c08b044397edd2a901c6b9f209665b6790bb9753e83853289e262c2dc972286f5b2b79f63a77db98f6d38687e1f21aca73b116a2edd5021a11f3f6cf01fcb30a8896d27ed52ceb49654db7f4fe641e8a4860f725fc30a7bd97b305d49fa02845af94396f759842dc0406ff731dd90cf19c7a31c5af5a1fbc0a399b81406eff0b5ab64f53919db2ee755647179cd259f973cb659f5892c3bdd0b53717527f7c5236384e206acc339faa0b52b4a07093de1091f2aa14561d6c2102319a75c31a2721de1d9a1222ac8b1', ' file/4/ ');
INSERT INTO public.commands VALUES (4, 'mm7p6yo0w4561j', 3, 'PutFile', 'done', 1, 1772366700000, 9, 1772366400000, 1772366400000, 1772366400000, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe00000000000000a4b47f8433479d44dc2471215e4ecce5586cb7d5802cff6b677b6736b503ef6383e2e4125c4440d80cec6b96d6915abcb2b2f0db261604937d09fadbaae14cb12c23a5024a6384ed922b8a62520195f98c88193123129d8060fb234ecdfb2e7cd3d6b22026df99f2dd8a18c8bd87263f9c4901e74e4986fc9abd1b004acdf87e1bb73455cc04980112be39e29c660e27ec391d2baf8425187a43c26f30ec4268089f78684b207d134d546233847e6bc98bfdbbfc9f07f20284fd8a1602d14192c50159d9fc5583b3a5d2d086c81ca6fc0c919262df16cd0b5a9e69c2d0f7185a89266837d0d4a8a1ffa8f3cf432e9b3998', ' file/2/ ');
INSERT INTO public.commands VALUES (5, 'mm7p6yo0tamsf8', 3, 'INFO', 'done', 1, 1772366700000, 0, 1772366400000, 1772366400000, 1772366400000, NULL, 0, '\x01c4f6ab8ccf7833fe000000000000002bfd43caaa126ef76f236027a1277483352f16ee1f1de1899291e2d02a48709cd8fd49aa57da0f257f9bc7655c123808fc5c8a8aa51970a864eee9a54b4131c950f48380e183d2e07a3d2005ea9ba9e5531e8ece546e398b1407c0b785cf3d38bcb4ff720b768bb96b45918b9592f52393ec3ab148a5cbc0', '\x01c4f6ab8ccf7833fe0000000000000026bcd51456896f88af815d059eeb376e7bc0ec708ae4c157ed240cd6fc1b95e1149991c30e50aa123a09ad09e848592209ea7fe117ffbb49ddbb3bd2b54f37f61911487dad3ad8a4fe3e991308a438702783c38ebf601e3374a6a4a4a067c8a6bbb9363449e9fbd65506f8c9e8549b21a2598d', '');
INSERT INTO public.commands VALUES (6, 'mm7p6yo0ryd2s2', 3, 'ENROLL_FP', 'failed', 1, 1772366700000, -10, 1772366400000, 1772366400000, 1772366400000, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe00000000000000af5447833ebb1561e580d87dca0dce7641615266320434c31115bbbb502a4a96c55796c8bda4a20ca9d28bcd5f4fd0e8d34ad67066edc95e3c553fb60dd79cd0ee0fe1d003a43dae394d105e7f892385e7e4c8ec847ecbc09c97cd8efe96ba49bcd7443b87d16f35d5a1db803de50fc32f30d016522fc7a203bfebb0c6b39e55f6ed7dfed6346613983be30f9ea272716f4ad8cbf3309d6a94501ad0a9469c280e8e02c6b20fcc192a554c45cedfbff1a598b3b693133e25f2b365ce1c1ddce9c36228f1df5e87a9c52c319a728e482d13bac37a9246d104d9a44c59f51618237c09f5e1b1683f9c59e187e28eebb349d68bbf014382b27fbe93d231', '');
INSERT INTO public.commands VALUES (7, 'mm7p6yo0xe8h4r', 3, 'DATA UPDATE USERINFO', 'done', 1, 1772366700000, 0, 1772366400000, 1772366400000, 1772366400000, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe00000000000000c326fe5a68d342374de955277e8cfa0be7fdba98c86cbc4c2fdb9d55a7a02e69bc2b8d6af3b7525db9766e4652b92820fdccad4301e58289a3204f58f1454e4613d2c70c51a883a82f0f66f5454601ad1b7f61ca4fbf73fe9561d2ebe657820e10eca12389c0001172fc7523901f29a5f267dbc586502a18bffd903ccde4c27a04dfc2561e7c540ff5be794ca1dd9a37d9c08b40c3deade03c87b83ea095d5437ee24a660609f6a050470bcc5152e319bb545dbd3494a523964ec828bd5fe3c351f3baff835f98285b4e65c64d2029bc30f0a48b1c6c47e28ad9fb26608b440c22b8026094b9b504bd763acb11c4721bfe947dc7e121e0f43b134e19d4452273a656dae9e6d07ad6b446f037f32bb135', '');
INSERT INTO public.commands VALUES (8, 'mm7p6yo0i0ixfq', 3, 'REBOOT', 'cancelled', 0, NULL, NULL, 1772366400000, NULL, 1772366400000, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe0000000000000028b35fb5059f2d63dacbb5df109e73749aec172f6d905403ec406eb6f5c4e2a249b5f81bd9c59719199a99f46bb26ac3289b5ebaad3563e4c2203b51ddec58af1b928f2e75e537ea666126a3e16bfb5544f97a6296d88ef547d4429e64cc15db4fbb12c025722dde309eeb15ec904fcbe826016392', '');
INSERT INTO public.commands VALUES (10, 'mm7p6yo0na7ovw', 3, 'SHELL', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe0000000000000091d5d4eae187a2c90db7f6657b5bd11898a45708c986b4593b9b41ef7929f0142c273c3f8e1455ebef4d446dd3fc1d451f6fb854220a1f042c911cd9df44be2b84426c40bec18d2a9f1f57b1ef0afed8b094b2dfa6dd6564ffd1e653052419352e49e87386ef8b303fa4bd598090bc503bc2df8c4b377e6d7f2265460dd853b106baff4c66a15aa8bfef067c1f8fc2b4973274f5731699aa10edc165dd15a1675fe76f8621b154bd02a105eadeed74ac9da02a9961b201b832381915c0644e74b6acea801f9ddaf9bc35b63ccce53f0138c85c7450dc43391721113c08cd', ' file/2/ ');
INSERT INTO public.commands VALUES (9, 'mm7p6yo014ly5i', 3, 'UPGRADE', 'sent', 1, 1772366700000, NULL, 1772366400000, 1772366400000, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe000000000000009e7cfeac7cbd5d6d001936f4d68146b12e32c8efceed1197c27be0c39e82e988034e8e772edda8a0c216ba29e49edaa0a0b5fd2376c76ae020357fd5f8bec84fee68754b30bbdea5dfe7ef5ac38edfd6533ff93167db04ecc78cb3e71385d9f2559e16b3201487da7634e8e029c4716f49b7bab0a12cd7f595b37763d373c11b23e04e6cffcf94d68eda3410d558c3da2fa12d42e854188079cbc1ecc35949c8b53169ce0cb4998bbaa574d09eb6286104c4615919adc373842082cabe23e10bfb92f9b708a3d60ac77ff0095a426dbf2d0930181e5cbeb7c21fe79c7dc43700e6c411c5986aa3963e73d5', ' file/1.b64/ ');
INSERT INTO public.commands VALUES (11, 'mm7p6yo0akgqop', 3, 'PutFile', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe00000000000000a4888d275b3281b35c205ebcd3a6ef93e4d726061ca255bd6f459aa3cb243194b611ad53c286f634bafd60c86f9a9055b682aac640fa393fa7f3e0ed024889dc79a93675c422c2127748e9242ac99e3f359b6c097314ee82c096f3ae676c733e6542203601217bbd5d7c0325cea792ce5b97bc15acadef16e238105186489047b17733367a1737d6315e93d19a7f6f098b1323897207623b07a067c64c6ee447f4a08e0f17544b180ee3f0c37005a37ea06ab116f69ddb5d0bb997f3a9890167de8228e4853b02aaef0c4a408bb1176741cbc50d01196977dc9f68b2788a9851ec03ce2c259f6f396889081256aa4c3a5a', ' file/2/ ');
INSERT INTO public.commands VALUES (12, 'mm7p6yo0sros67', 3, 'PutFile', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe00000000000000f2fdbcb95740aaa90ac6a7739c18d200c94ac0ea7048236c64a152a4007bf0773e3100c46d1008903ec8570a38ab9d6a953701943385e03a4f803fd8d361137d4c0da0d5dc460ea4bc193396ae4bdc745a630b3c13dbfae3fa226b81feaa9b144bf068d9b5a95bb0ac2d5f0cd75a0881644a0908da32650d0d679fc1c79c9b71204e7ec63f2c3362f36682cf7fe6e5ebe38bf39e757ea5f83faaa55ffc68bc7374293d183e4815a88290df86dd203dfded969db789aef0ebf331217d908770d099a696c96b5e9a7fafcc1f595b7d79da8dabf45cf04aa19db453f8cf023830c7051cd104ec72bf6efb7127810854a47f98d46adb6ab820b2231bcd0a00cbd90907115f0b28ae18e0a064aa3f4036c29eaa0425e6565aea968f7d69c79e4e93334b66be05125667e427b4562f4aff8f22ed835bec921da4528a143c44bfa132', ' file/2/ ');
INSERT INTO public.commands VALUES (13, 'mm7p6yo0xwfc3c', 3, 'PutFile', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe00000000000000b233da400d4ed4dca53401806713738d7a0732080f7ce77ca2eee4bbc69629a6a91814860a4c8db4a490d50205a66c53e0805a559d32ea3dc4ece9b9d3fed2f7f195a8e8c738edfcfc4f157eac92c22295188258a31e9436b185c20b0796f3ec3f15d45e07d51aac8310711e7bfac02f3608b7bcc68ab9a9061bc87370e170f29059c6c74474faffa9e3ae985c7b6c893f89222f0e32ce771b4a4566cb0b5d9ec196cf8a1b2ae6c132d769f80f7afec529e456fce4c647b0a4319ee34cd365f235f8c6d9502ab3f7bc0cd8a43dba385c6749b7d80011f7842c788780939a4f3373d42625d40c3be09cea10b494c424f9e2836247d7918863ace5362875bd7b', ' file/5/ ');
INSERT INTO public.commands VALUES (14, 'mm7p6yo0ot19k2', 3, 'PutFile', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe000000000000011e852949b1fccd8d821e605544608c0fd786ce54b240a6d7877781e88ae2ba7514043ac3ae578fe872fbcbd75e01b3e061cc1c61b0bf93da3582209e8185ba560f7538da9f9ca3ec7907920bfe978200071a6bc0cfd9675326f071a1bae931dc0ff6598d1741cac6e0923080c51c60a432f341cc92cc374a50fd073dc5b010224d9f0355d2809748583a7d8f7e0453fc0e90f76f4decb3bbb3c74371076141fc94cbff35870dae883cebe18a3ba9ffae17896ba7756f3d9c05d4d07e92242b2fc4302961cefa90f2480ec8224792dfefc3d03438bb79670cc3d0cd282d72378f8024431f403160bac9c648e51f52b472fc5af1647e435a186d8ffd0784c818e3e370139156a25fd6983159ec3ab569642c8beb4220015a23daa9511ffbfd61071343f20bf97581febdfc27a4b399e8155a15b7929ce416f0a7ffd173c004b6e7bce15a3ae4f36cbc21b4ac0b5999a8d3a2dc5d09e5ccc4db9360eda29be371c82265b8731110bb33f3d2b7', ' file/6/ ');
INSERT INTO public.commands VALUES (15, 'mm7p6yo0m2xg5a', 3, 'UPGRADE', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe00000000000000a1e8b7a6f0f1628741152d6f631e97507b43b818275d32d2797205022c9fe64cb441bf65635b522f92da4833f23a6d42808317b73bf3186c7cd84a6f88f04ce53f31d1088cee2a7423ec8a2c4e14681953eab42a89e1fcac2ee789f5d77bebfcf278d0fd9247e151ae75809706874abb941a616964ab0c85e6de0fbef5db4b344c8f4ef96d82e869dfd1963355a1bce27ba058ed78a704e7a8a7d01756f276f2aa2be70456bd01452adc27cf8d84410c4d58f1daf3263f02b61ab5e7f8d79e3bfba5ddae31221a0bb133609dbb58d819bb2c5d3dc68b6ceda7eea54d3c4f03aadad6aaad828c2e1b2afeb1877422', ' file/1/ ');
INSERT INTO public.commands VALUES (16, 'mm7p6yo0wjp4db', 3, 'DATA UPDATE USERPIC', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe00000000000000925bd058d8a3f3f8fe5a31b066c55d3d65e813aee1b403042c1daa0ea14e2c4f972ec4ae85b8ca53e03d56e72e4c531d5912abbe77cf964b5b189198dcbe0b722e77d41c5a14135cfe805504737a6c55e2527b4fcd47c262224df0bcd6c78c2746a8cc151f9ce5bca51b61b83c656cd309b41adcef50dd58492c0e22dbec64e883b1ae75f1fae5954f652bbd017cfb3bb00d0a1d93fdffa3fbbcf1cfa8383871fe10686e8f6eb0d9f274e0da6ae11e5d8fb4bc6e00dace4502d762994efb0f877d05ec029d79188058a31b04e803420c08693f7adebdad22835ad930611705', ' file/2/ ');
INSERT INTO public.commands VALUES (17, 'mm7p6yo0pie82l', 3, 'SHELL', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe000000000000007396eb533522211c3c34de049674075b7c140873574a47cb68ae51be8209702628e0a7943941086cfb0997ea5394fedbc505b60b8db863918806815f23e9fda1f2ab2e383b38e53eae17fb739563ae8fa5b48b29bde36252f5a59e419dc5e0c84a46061e35803e7975098b9bd9cbe8911be2d556bc0359d15cfd671247b3e83335b7aec65a11925cd7873451844a6d688585c87aaef1d5b2547aee3a711caa24e7c3f5150948893bf10088c543266b180c1cad0ed5964cdff4ff2171ce9525ae', ' file/1/ ');
INSERT INTO public.commands VALUES (18, 'mm7p6yo0nrn1wo', 3, 'DATA UPDATE SMS', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe0000000000000124b0c107db9b8b587b1f7bf43e0ea18f155ffe371a78c7fe38574bfe645dbb3b98d95907316709e3c379e198e2bc4c5eb336ccc8c32e9202909629a21e1525e7f808d3e9bbe71bf9e30b51ece8a13b9b6b941d114df15d562a83e515c8bea32160e26370b6e5c1690f53a8f4bd6c56ca9015d8fbbd6489ef87ce2a9bce59c3e54fc21fe1b2e2541fb263f99c5d8eed5a1af2a788e52081237ef0cf624f384ba4341e467a44f3b5d0e08f45ecda2ced9a022ca7838dd45a4b6dbd87032f78e457f58608fac236fae2401cfb56be17a006a5bb5b695db840709ab646871632d8649748862d6e4f512aeddcfde6e1eda89615bf83b5692704398c775c3c64db54b8f92aa05b29e23f14dd451b932e8c1449d0298a8c00c41c13daf79da39ff15d6f21f63204b3830ed8e27c08411c504348acc360968e579616a628617c34a0370d246cbe4458251c96b64d3248a8d6d256c53941f68e4d9358baa6ef994e5e1133f62308f570ff60a9a39107361c05f05e1d', ' file/1/ ');
INSERT INTO public.commands VALUES (19, 'mm7p6yo05ywim6', 3, 'DATA UPDATE USERINFO', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe00000000000000c32c072d64d3533776cd6db27059bb4657f76dc4302bcd6b3e4dc1a25eefc6df763972a2355c918d5d3ce1dfe8a9bb4cce5f53cc2091ffd4893a1a0f23d55b13ef7f363ca0efc445d52d0ed8e49c828987fea74e9ca0eea62d865c84b84c75e0e5f935ef957c3891328ff38254282be8edb6bafa7eafea60d91fdbf045bb4cb02d34ddf038a2fbf339a856e4ec6e90d06c64ef490a79de3239e21e652f1fff9771fbb1d224038ad6fa8367b7f6ee6bcf9d28c3c1e2b2954bddf1259341f77c6e30694ecc281f6941d1d53adc2d0add6944d5e000aebab3045ad5d85814d52bbaeeb682a4af64bc288a21f0ee2e71dce0ac3ea9894269e7f7c67df1637796bbaaa7ad4d2223b2156f73269f93ec742de4', '');
INSERT INTO public.commands VALUES (20, 'mm7p6yo0vz2vvy', 3, 'REBOOT', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe000000000000002869cddb792d6ed70471d614c52b3ab9100ccd7f393d19b6052a0965f30c77a13774972d05ab51e4f316351830c383011ffd091696529cccf220967bf2bfe076e35bf6d34a39b13a53d468277f90b5247231587fc3a6f4de8c18f7899a393ec89b5ec4e5fd282b06634c9845600fa698af8d7f1fba', '');
INSERT INTO public.commands VALUES (21, 'mm7p6yo02m2l6r', 2, 'LOG', 'sent', 1, 1772366700000, NULL, 1772366400000, 1772366400000, NULL, NULL, 0, NULL, '\x01c4f6ab8ccf7833fe0000000000000025fef9094d6ad80307d5db9071329a2965dbbbbf4d4cc1d6dc5ee100d1c3664251b0042e0da26647a163366c79c47c0bf45bf2651032d857c7d47ffcb1532ef03717f5cfe1302d0163d2a11e85c1998acbf741650b0982e801f197af8c1fb13d7d3eff578949bb737cf7b4d653cef68d6125', '');
INSERT INTO public.devices VALUES (8, 'COMES00008', 'approved', 'Later', NULL, 'UTC', 'new', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1772366400000, NULL, '{}', '{}', '[]', 792, NULL, NULL, '[]', NULL, NULL, 0, 'check', '[]');
INSERT INTO public.devices VALUES (1, 'GATE000001', 'approved', 'Main gate – Tür 1', 'North', 'Europe/Madrid', 'ready', '2.4.2', '69', NULL, '822d5784354329d36e86e8939143d1c128e4b98b3202bc076aaf4452925b4151', '822d5784354329d36e86e8939143d1c128e4b98b3202bc076aaf4452925b4151', '1', '192.0.2.7', 'Ver 8.0.4.7', 1772366400000, 1772366400000, '{"Delay":5}', '{"users":4,"fingerprints":3,"attendance":9,"faces_required":15,"faces":1}', '[]', 760, '\x01c4f6ab8ccf7833fe000000000000004851a09b0b3f274dfe0561e78735b1487692c1b69ec57f51c4224313daa02876520495e79a1ce6bfe9372f7ed9506d807e24d3f873c5bb8149037e5fe5b5409bf37c5f57bf0ab6123a519ff343ec7a7b04b3045d79395db945b3c5e03344ccd2c86b1d9ae9abd74cfaa9d1994916a5dfac89065ad27570a1af00485bbb535b4d36460643dfff6a26cbc63a910b9071f6212289fad7', '\x01c4f6ab8ccf7833fe00000000000000573869ea579ebde374bf4384ac88349057eb2745dadbe1b19c50999384f0add73b18600dedae6e0d2224217366d6a4152973b3ce7df14a80d12bde570442a91cba11a1c1044e71d39333c3b1d8ea4cd181d811a74e778ec6257810e0baef94f25859501675a77a55cd1ca89b644e15736c9a298c4d9f5e3e4b404e42905855b4366d2d853b79a4f3e5d05145763cba40301b865ce74daedff47222475043eac0239742e5', '["192.0.2.0/24"]', NULL, NULL, 0, 'check', '["152cec72121414a33870b56dd83bc9d29de6c39e2e730809b953cee7c9b7290f","3d74648e4da90fe2b051e19d7e375cd361a63803f2d3d0f98839295b5c50ad5c"]');
INSERT INTO public.devices VALUES (4, 'WAITS00004', 'pending', NULL, NULL, 'UTC', 'new', NULL, NULL, NULL, NULL, '440e15a0b025990418425650c6a9ca14ae794f5e09a34ad573e134f37bad1b97', NULL, '192.0.2.7', NULL, 1772366400000, 1772366400000, '{}', '{}', '[]', 782, NULL, NULL, '[]', NULL, NULL, 0, 'check', '[]');
INSERT INTO public.devices VALUES (5, 'PLAIN00005', 'pending', NULL, NULL, 'UTC', 'new', NULL, NULL, NULL, NULL, NULL, NULL, '192.0.2.7', NULL, 1772366400000, 1772366400000, '{}', '{}', '[]', 783, NULL, NULL, '[]', NULL, NULL, 0, 'check', '[]');
INSERT INTO public.devices VALUES (2, 'LOCK000002', 'approved', NULL, NULL, 'UTC', 'encrypted', '2.4.1', '69', NULL, 'e51cc2878d195bd3c8f38ddc368ba0da66b750cbc9b63c41b9d930cebaf630d4', 'e51cc2878d195bd3c8f38ddc368ba0da66b750cbc9b63c41b9d930cebaf630d4', '0', '192.0.2.7', NULL, 1772366400000, 1772366400000, '{}', '{}', '[]', 775, NULL, '\x01c4f6ab8ccf7833fe00000000000000029a42b7f1906eabb5a065c20f926c9ba9a816f024e39f4959f0aa648e72b0d89035604e12da0c37e723561aa43ea71e22457b4df916909a7d992fbe3da196d0ec7b8cc6226c76da612d6e56021d8f', '[]', 'require', NULL, 4, 'check', '["3588f117b2418a1aa2f1e2c0d2d87e0d4e6ae3fead2bf5cb74d5a73a5b34afac","f707dd8086c751c3a34089ec7b10a08a577bddd0ff2f61ae0a44a0d528a4ebca","b9d24e7b9d4ea628e6630ee9ad746a9157e3aa1a06a2a4aac4db1d67f4a48df3"]');
INSERT INTO public.devices VALUES (3, 'QUEUE00003', 'approved', NULL, NULL, 'UTC', 'ready', '2.4.1', '69', NULL, NULL, NULL, '0', '192.0.2.7', NULL, 1772366400000, 1772366400000, '{}', '{}', '[]', 820, '\x01c4f6ab8ccf7833fe000000000000002b32261b3c0387ad96ee17dbd9ca08e71ad5b6a23b41de8ceafcee9e7ef4ae44ecf05de09da699b07e33c98bbcf6108b41f2c6b7502fe54116eb815a490094b2b4b22e538da4ea330d2f4a629e52926b80158bb3f206d986279de6bbb5806edd4c8c75d132a3a4ddb435934f9b1d64f0894785bbd5e57067', '\x01c4f6ab8ccf7833fe0000000000000002b6cd2b2951886ab56cca5cc2f90bf3386df9e1b10b2f0f463803128d5b99286b0dad01a471d5f36c477c9dcf4164832955cb808f54a0fa95938992bab0de2394bc5ef0dbd91421b4e4b2c0d94bfa', '[]', NULL, NULL, 0, 'require', '["975e119ccde05cff8ec89e6dec4eee272dee2d26ee454c0e9632a14ee41813bf"]');
INSERT INTO public.devices VALUES (6, 'CHANGED006', 'approved', NULL, NULL, 'UTC', 'ready', '2.4.1', '69', NULL, '9e24b55356ef2a121ab5fd1a3ee8a3c9191e837f3853e399a369e9044ff183f7', 'dfc42b5169264b0614a973f3460a90a255e72d3bf083ced693776b21a3821690', '0', '192.0.2.7', NULL, 1772366400000, 1772366400000, '{}', '{}', '[{"code":"pushcommkey changed","detail":"The terminal''s pushcommkey is not the one it was approved with. If its main board was replaced, approve it again; if not, something else uses its serial number.","since_at":1772366400000}]', 788, NULL, '\x01c4f6ab8ccf7833fe0000000000000002aa32aa8611da995bb376c60822d20c7a4b8170b26ed66534dfae229cf65626513d6cbe812bc3112034f60f46dee452a8b9742a117beb9ccc50f5c9612ad1aa71cbff40b8139ec5308ec7d0757f4c', '[]', NULL, NULL, 0, 'check', '["f8acc78842a9a477791b6e9927c0a94de936d02ad216591d682110d31117648c"]');
INSERT INTO public.devices VALUES (7, 'BLOCKED007', 'blocked', NULL, NULL, 'UTC', 'new', NULL, NULL, NULL, NULL, NULL, NULL, '192.0.2.7', NULL, 1772366400000, 1772366400000, '{}', '{}', '[]', 790, NULL, NULL, '[]', NULL, NULL, 0, 'check', '[]');
INSERT INTO public.devices VALUES (10, 'OLD0000010', 'approved', NULL, NULL, 'UTC', 'ready', NULL, NULL, NULL, NULL, NULL, '0', '192.0.2.7', NULL, 1772366400000, 1772366400000, '{}', '{}', '[]', 798, NULL, '\x01c4f6ab8ccf7833fe00000000000000024332de598906695a4b3b63f68e4b5342686ec109e5f57e9337692c489c7394eaac07927e444c6b2cfa2637185c66e23fde4293b0bd4a94fc51fb22f8b1afefd70f97cb7bb37e5a3d289f20ec503e', '[]', NULL, NULL, 0, 'check', '[]');
INSERT INTO public.entries VALUES (1, 1, 'WORKCODE', '["17"]', 1772366400000, '\x4f9878ee2e16ff5426d94f597bb152500baa96df2a234cdf65d5bf9a54bafd79', '\x01c4f6ab8ccf7833fe000000000000002869fbf04f5279b738d593ba9585843633364bb5aa9b15e0fb58bc4f7d2856472295ddea4acf430d94ab3484b382d986d36e4b6d3a733f1ece3fbefa1c313765fcd8dca8e7ee70256f9522d90939ca16ed3c21da84590d92b2bd3540d2dbaaf441fadb081650e3d9d14dbb67366cae47c7fb1e974e');
INSERT INTO public.entries VALUES (2, 1, 'SMS', '["3"]', 1772366400000, '\x57d4788bb016810a24f8465abde56983e502041549ace31eb950b7bc8388f86c', '\x01c4f6ab8ccf7833fe000000000000005fee947256602928178662ee3ee3969eaf2e00c0d3f6ebcad3f3e47422322e302e513efb6de43fddd551c3ce291e55f62de728a771bd55db7a11620ae3030efcf27d8f4778de97349530aa37721f5c2a2a883d159ae99e3cfb3f9c56e66266f47269a61f0946f1567e7f8b313fefb7a922360f89d0a9ff891b4dc20e138dba64465cadbe583b31c069ffbeafc0c52e20d98f0c151444969178a27b37cd44a2a048236b94e7a690d824ad414f');
INSERT INTO public.errors VALUES (1, 1, 1772366400000, '\xf9ab410dbdb2632e09b8caf18c2ea1c70c1f266b61ece36cd425bbc533ad00e3', 'D01E0001', 'bad', 'cmd', '123', 'x', '{"More":"y"}', NULL);
INSERT INTO public.events VALUES (1, 'device', '{"device":"GATE000001","what":"added","values":{"state":"pending","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (2, 'device', '{"device":"GATE000001","what":"changed","values":{"alias":"Main gate – Tür 1","area":"North","networks":["192.0.2.0/24"],"settings":{"Delay":5},"state":"approved","timezone":"Europe/Madrid"}}', 1772366400000);
INSERT INTO public.events VALUES (3, 'device', '{"device":"GATE000001","what":"changed","values":{"session":"ready"}}', 1772366400000);
INSERT INTO public.events VALUES (4, 'device', '{"device":"GATE000001","what":"changed","values":{"firmware":"Ver 8.0.4.7"}}', 1772366400000);
INSERT INTO public.events VALUES (5, 'user', '{"pin":"7","what":"user","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (6, 'user', '{"pin":"8","what":"user","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (7, 'user', '{"pin":"9","what":"user","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (8, 'user', '{"pin":"7","what":"template","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (9, 'user', '{"pin":"7","what":"template","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (10, 'user', '{"pin":"8","what":"template","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (11, 'user', '{"pin":"8","what":"template","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (12, 'user', '{"pin":"7","what":"photo","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (13, 'user', '{"pin":"7","what":"photo","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (14, 'device', '{"device":"LOCK000002","what":"added","values":{"state":"pending","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (15, 'device', '{"device":"LOCK000002","what":"changed","values":{"state":"approved"}}', 1772366400000);
INSERT INTO public.events VALUES (16, 'device', '{"device":"LOCK000002","what":"changed","values":{"session":"ready"}}', 1772366400000);
INSERT INTO public.events VALUES (17, 'device', '{"device":"LOCK000002","what":"changed","values":{"session":"keys"}}', 1772366400000);
INSERT INTO public.events VALUES (18, 'device', '{"device":"LOCK000002","what":"changed","values":{"session":"factors"}}', 1772366400000);
INSERT INTO public.events VALUES (19, 'device', '{"device":"LOCK000002","what":"changed","values":{"session":"encrypted"}}', 1772366400000);
INSERT INTO public.events VALUES (20, 'device', '{"device":"QUEUE00003","what":"added","values":{"state":"pending","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (21, 'device', '{"device":"QUEUE00003","what":"changed","values":{"state":"approved"}}', 1772366400000);
INSERT INTO public.events VALUES (22, 'device', '{"device":"QUEUE00003","what":"changed","values":{"session":"ready"}}', 1772366400000);
INSERT INTO public.events VALUES (23, 'device', '{"device":"WAITS00004","what":"added","values":{"state":"pending","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (24, 'device', '{"device":"PLAIN00005","what":"added","values":{"state":"pending","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (25, 'device', '{"device":"CHANGED006","what":"added","values":{"state":"pending","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (26, 'device', '{"device":"CHANGED006","what":"changed","values":{"state":"approved"}}', 1772366400000);
INSERT INTO public.events VALUES (27, 'device', '{"device":"CHANGED006","what":"changed","values":{"session":"ready"}}', 1772366400000);
INSERT INTO public.events VALUES (28, 'problem', '{"device":"CHANGED006","what":"raised","code":"pushcommkey changed","detail":"The terminal''s pushcommkey is not the one it was approved with. If its main board was replaced, approve it again; if not, something else uses its serial number."}', 1772366400000);
INSERT INTO public.events VALUES (29, 'device', '{"device":"BLOCKED007","what":"added","values":{"state":"pending","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (30, 'device', '{"device":"BLOCKED007","what":"changed","values":{"state":"blocked"}}', 1772366400000);
INSERT INTO public.events VALUES (31, 'device', '{"device":"COMES00008","what":"added","values":{"state":"pending","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (32, 'device', '{"device":"COMES00008","what":"changed","values":{"alias":"Later","state":"approved"}}', 1772366400000);
INSERT INTO public.events VALUES (33, 'device', '{"device":"GONE000009","what":"added","values":{"state":"pending","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (34, 'device', '{"device":"GONE000009","what":"removed","values":{}}', 1772366400000);
INSERT INTO public.events VALUES (35, 'device', '{"device":"OLD0000010","what":"added","values":{"state":"pending","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (36, 'device', '{"device":"OLD0000010","what":"changed","values":{"state":"approved"}}', 1772366400000);
INSERT INTO public.events VALUES (37, 'device', '{"device":"OLD0000010","what":"changed","values":{"session":"ready"}}', 1772366400000);
INSERT INTO public.events VALUES (38, 'command', '{"id":"mm7p6yo0hmql0v","device":"QUEUE00003","command":"SHELL","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (39, 'command', '{"id":"mm7p6yo0hmql0v","device":"QUEUE00003","command":"SHELL","state":"sent"}', 1772366400000);
INSERT INTO public.events VALUES (40, 'command', '{"id":"mm7p6yo0hmql0v","device":"QUEUE00003","command":"SHELL","state":"done"}', 1772366400000);
INSERT INTO public.events VALUES (41, 'command', '{"id":"mm7p6yo00r31gd","device":"QUEUE00003","command":"GetFile","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (42, 'command', '{"id":"mm7p6yo00r31gd","device":"QUEUE00003","command":"GetFile","state":"sent"}', 1772366400000);
INSERT INTO public.events VALUES (43, 'command', '{"id":"mm7p6yo00r31gd","device":"QUEUE00003","command":"GetFile","state":"done"}', 1772366400000);
INSERT INTO public.events VALUES (44, 'command', '{"id":"mm7p6yo0zw6iao","device":"QUEUE00003","command":"PutFile","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (45, 'command', '{"id":"mm7p6yo0zw6iao","device":"QUEUE00003","command":"PutFile","state":"sent"}', 1772366400000);
INSERT INTO public.events VALUES (46, 'command', '{"id":"mm7p6yo0zw6iao","device":"QUEUE00003","command":"PutFile","state":"done"}', 1772366400000);
INSERT INTO public.events VALUES (47, 'command', '{"id":"mm7p6yo0w4561j","device":"QUEUE00003","command":"PutFile","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (48, 'command', '{"id":"mm7p6yo0w4561j","device":"QUEUE00003","command":"PutFile","state":"sent"}', 1772366400000);
INSERT INTO public.events VALUES (49, 'command', '{"id":"mm7p6yo0w4561j","device":"QUEUE00003","command":"PutFile","state":"done"}', 1772366400000);
INSERT INTO public.events VALUES (50, 'command', '{"id":"mm7p6yo0tamsf8","device":"QUEUE00003","command":"INFO","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (51, 'command', '{"id":"mm7p6yo0tamsf8","device":"QUEUE00003","command":"INFO","state":"sent"}', 1772366400000);
INSERT INTO public.events VALUES (52, 'command', '{"id":"mm7p6yo0tamsf8","device":"QUEUE00003","command":"INFO","state":"done"}', 1772366400000);
INSERT INTO public.events VALUES (53, 'command', '{"id":"mm7p6yo0ryd2s2","device":"QUEUE00003","command":"ENROLL_FP","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (54, 'command', '{"id":"mm7p6yo0ryd2s2","device":"QUEUE00003","command":"ENROLL_FP","state":"sent"}', 1772366400000);
INSERT INTO public.events VALUES (55, 'command', '{"id":"mm7p6yo0ryd2s2","device":"QUEUE00003","command":"ENROLL_FP","state":"failed"}', 1772366400000);
INSERT INTO public.events VALUES (56, 'command', '{"id":"mm7p6yo0xe8h4r","device":"QUEUE00003","command":"DATA UPDATE USERINFO","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (57, 'command', '{"id":"mm7p6yo0xe8h4r","device":"QUEUE00003","command":"DATA UPDATE USERINFO","state":"sent"}', 1772366400000);
INSERT INTO public.events VALUES (58, 'command', '{"id":"mm7p6yo0xe8h4r","device":"QUEUE00003","command":"DATA UPDATE USERINFO","state":"done"}', 1772366400000);
INSERT INTO public.events VALUES (59, 'command', '{"id":"mm7p6yo0i0ixfq","device":"QUEUE00003","command":"REBOOT","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (60, 'command', '{"id":"mm7p6yo0i0ixfq","device":"QUEUE00003","command":"REBOOT","state":"cancelled"}', 1772366400000);
INSERT INTO public.events VALUES (61, 'command', '{"id":"mm7p6yo014ly5i","device":"QUEUE00003","command":"UPGRADE","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (62, 'command', '{"id":"mm7p6yo0na7ovw","device":"QUEUE00003","command":"SHELL","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (63, 'command', '{"id":"mm7p6yo014ly5i","device":"QUEUE00003","command":"UPGRADE","state":"sent"}', 1772366400000);
INSERT INTO public.events VALUES (64, 'command', '{"id":"mm7p6yo0akgqop","device":"QUEUE00003","command":"PutFile","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (65, 'command', '{"id":"mm7p6yo0sros67","device":"QUEUE00003","command":"PutFile","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (66, 'command', '{"id":"mm7p6yo0xwfc3c","device":"QUEUE00003","command":"PutFile","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (67, 'command', '{"id":"mm7p6yo0ot19k2","device":"QUEUE00003","command":"PutFile","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (68, 'command', '{"id":"mm7p6yo0m2xg5a","device":"QUEUE00003","command":"UPGRADE","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (69, 'command', '{"id":"mm7p6yo0wjp4db","device":"QUEUE00003","command":"DATA UPDATE USERPIC","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (70, 'command', '{"id":"mm7p6yo0pie82l","device":"QUEUE00003","command":"SHELL","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (71, 'command', '{"id":"mm7p6yo0nrn1wo","device":"QUEUE00003","command":"DATA UPDATE SMS","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (72, 'command', '{"id":"mm7p6yo05ywim6","device":"QUEUE00003","command":"DATA UPDATE USERINFO","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (73, 'command', '{"id":"mm7p6yo0vz2vvy","device":"QUEUE00003","command":"REBOOT","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (74, 'command', '{"id":"mm7p6yo02m2l6r","device":"LOCK000002","command":"LOG","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (75, 'command', '{"id":"mm7p6yo02m2l6r","device":"LOCK000002","command":"LOG","state":"sent"}', 1772366400000);
INSERT INTO public.files VALUES (1, 'fw 1.bin', 266, '82119b1944858c602e6dd1b432e71d35dfc09b4e4ffb0f5c001b8a24da41dfe2', NULL, 1772366400000, '\x01c4f6ab8ccf7833fe000000000000002091b68102166288a670def9361f47cd876e544fb5b0765cb9acd447b3881b3cc3a1c0ad810bd724ff0be7107d5a9122218a8829b8ac801ea178f7d4ab74206c808652727718065da6b5a53a3b2b8f5bcf9f5cbd9264e20e41a3bedc2ba9eac6f172ff6b16312812ce27ecce74');
INSERT INTO public.files VALUES (2, 'ring.jpg', 34, '7d3826a4094ee5b33dd2beee242c8d3dfae2f5594e635548ccb02ec999d06287', NULL, 1772366400000, '\x01c4f6ab8ccf7833fe0000000000000020d5ac7440bc107f96ae2ef2c3831876979be7cc383d1493c761574347209f89d71b2116b8e3fae0c8f8916ecef5e6f0729c1230bd6dd4d9028f720662d34e653cb295ad4c3ac26e9e1033100cccdb7c982a0e599437bd06a5802d025bf6fcc4c1bc1be931087d6176ef77e051');
INSERT INTO public.files VALUES (3, 'data.bin', 8, 'e33f5b0c8411ba7e0a0c3f7b1ac1a904aed89e69875311d8a8d93010fc95cc4f', 'QUEUE00003 mm7p6yo00r31gd', 1772366400000, '\x01c4f6ab8ccf7833fe0000000000000020a0dca9b36312620b5260a9932461a9e451295ba017f49f5b1fa82a2ab4661002819cb412b6ddad2d142a7189e252cb298e0994355ec0843720d54e67143b4158791f843f82616ebccccc6f0685b179b9efe0d0ff5b191b8a7c115650e41e75afc6966f8c00d45378cb6ae8b0');
INSERT INTO public.files VALUES (4, 'userinfo.tgz', 203, '89940881ebfd460ff441832b91af99e8c0f43e3b1fe3983aed4e77246ea8bb20', NULL, 1772366400000, '\x01c4f6ab8ccf7833fe00000000000000201abad04593620f65548c924a04d1cbbde6822ef0f3818551835619e7fe312421b9c8e5190674446b174da07e9d0fe328688f5bda80e4b8c277832c9d4e342363e01a1a04c9884cb649327b0b10862771982052357add0eb36c9e3287de14d3f133994e689d92b2afe2c6a47e');
INSERT INTO public.files VALUES (5, 'people.tgz', 280, '812e623a6c5d133080100100c0f268f63194e5bd805d49ec76f29c7afbff693e', NULL, 1772366400000, '\x01c4f6ab8ccf7833fe00000000000000208861002f03e86a73919b42ed082e8049b576361260857a053a2988305e837a7885d630606367fe4a77267702a052d2c61c945f98804d067bf0c88802b6740e11ebf3e1e282122a883120ea4dcdea25ecba2f331cd26917ecd62386558a45f66d4ef9caee1b4f0b39b17dca39');
INSERT INTO public.files VALUES (6, 'fingertmp.tgz', 96, '55e13a9dc2fa2beb5613c10afe8e47d34c52b35ae5bf983b3f16c6844c6ba1f1', NULL, 1772366400000, '\x01c4f6ab8ccf7833fe000000000000002090e407c26d3dcea4e98149a04512a81705232062fb9f273cbcbe39adfd95c83e04111f8d8c0e85a5e2f984caa64ebac8fedc04e4b9e30f784f96b1f586bfa5d80a7e9d8612b690694457946d792d797dea4313dac4beda388832742b2c0a8cf181511846eadc9df12334cf95');
INSERT INTO public.holdings VALUES ('users', '["7"]', 1, '\x8ddf4b671a0ae3b237350665dfbd2c7293a319cfe19219fa88e55befed20585c', 1772366400000);
INSERT INTO public.holdings VALUES ('users', '["8"]', 1, '\x81af1a8929747a135030938764a741e45db6febf1bc8efd42e618cd94833fdca', 1772366400000);
INSERT INTO public.holdings VALUES ('users', '["9"]', 1, '\xdc93cf1234edc13c98876d4ff6cb6342c03b15fc338e50571900ec79af666322', 1772366400000);
INSERT INTO public.holdings VALUES ('templates', '["7",1,5,0,10,0]', 1, '\xc29a4c81526384f01b56b7b68e45bf4d8434ec2fd0e0a30eb1adb873c60c21a9', 1772366400000);
INSERT INTO public.holdings VALUES ('templates', '["7",2,0,0,7,0]', 1, '\x1fddad0cfb7efb01fca593ee3046dfd71ae27a47b73e2cb841e5e18ef0690d2b', 1772366400000);
INSERT INTO public.holdings VALUES ('templates', '["8",7,2,1,0,0]', 1, '\x1abf5451b14299c983f229215e7c59b09671ff45b78ef6b29d41507be8d2f568', 1772366400000);
INSERT INTO public.holdings VALUES ('templates', '["8",8,0,0,1,0]', 1, '\xf0a6f8e4791769fc5653d9e77e9304866e4aefeefb1c58d2241b81f775d3eb0a', 1772366400000);
INSERT INTO public.holdings VALUES ('person_photos', '["7",0,0,0,"USERPIC"]', 1, '\xd2b7b0a403b5cef2c2df57318abd1f33bb91ec908e568dbcbb5af1e9960ea33f', 1772366400000);
INSERT INTO public.holdings VALUES ('person_photos', '["7",9,0,0,"BIOPHOTO"]', 1, '\xd63e36b6e5e358183af45114aa83c350688acd40c1ba313071484e93216bf422', 1772366400000);
INSERT INTO public.idcards VALUES (1, 1, 1772366400000, '\x1c4454147e35dba00e7da4774a73ed1391384cb7a16c3affba002703e9005399', '8', '99999999', '999999200001011239', '', 'Zhang San', 1, 1, '20000101', '2017091520270915', 'Nowhere 1', '', 'Nobody', '', '', NULL, '\x01c4f6ab8ccf7833fe000000000000002c72828b64af332921a2c782d108a7c001291b7f62bdb834c44346eee3221efea9b82e27879922592fc7f69e2cca5373d59ca899a8848a8487156e787bff067aa24f123f2167194d2cfdedf16d9e7098887bbf4f26d0a206784509520193318cbe44842cbf1820e332ac82414ca40c1b11bdc050e619c4dc3a', '\x01c4f6ab8ccf7833fe0000000000000014a21c92235102853e4e0b630b6e423f87f3ca80d6a2aba519c0af29f4448ccdb3b0bf90ffb8b0128190c3032bf8093eb5dcc50519d51fcff124fc1c88864127a2c8e5ce06bc7d4998c5cca29a9d9e501732e6dc37e9c47b6b62057ca82dcb3ee0', '\x01c4f6ab8ccf7833fe0000000000000014a7baf7c26da8a070a6fb794fbba6ed306bb46b37d8b89f0795fb1eecda25f04fe097f79656c6c6ed176f8a5093043c026d7443b90b08e7c6e98ed9e6a275b7bb5b02782b5cc0c960cf847f03f83b23357555f9b460b10a88f0224b19dcde41c0', NULL);
INSERT INTO public.keys VALUES ('c4f6ab8ccf7833fe', '0d5f26f51174001a', 'seal', '\x7a9409e2bdc40c97fc679a2baca4e86ff7f8cb032e839ad43f4e1e4d178d32953c46caeef02cf8cc974b60997f2b8825cc0aa2b3d2d3628309dd9056');
INSERT INTO public.keys VALUES ('d46bff757a1b92ba', '0d5f26f51174001a', 'index', '\x9d778f6a978992dd37e039d771363945a7b4d241591290b40c6e4c38609810088388a48d90d19345c1e4317eb45237782381315bade3268ac80fdbdd');
INSERT INTO public.leases VALUES ('time zones', 'node-2', 1772366490000);
INSERT INTO public.operations VALUES (1, 1, 1767604954, NULL, 1772366400000, '\x7f27f42058d3100612366e28dbf1b2e360ed5fe255929ffa0bc4f20d2399bb37', 4, '14', '2026-01-05 10:22:34', '0', '0', '0', '0', NULL, NULL);
INSERT INTO public.operations VALUES (2, 1, 1772348400, NULL, 1772366400000, '\x260eb3e2cb857c59ff2e5472475abd59bd61d5ad2973f3cd8c4967dab218a31d', 30, '7', '2026-03-01 08:00:00', '7', '0', '0', '0', '{"Column8":"more"}', NULL);
INSERT INTO public.person_photos VALUES (1, 1, 1772366400000, 'USERPIC', 'fe46f308a535199868595da55d163a179099e41ce273dead1bb41c6afd6ca38d', '7', 0, 0, '7.jpg', 0, 40, NULL, NULL, NULL, NULL);
INSERT INTO public.person_photos VALUES (2, 1, 1772366400000, 'BIOPHOTO', '7d3826a4094ee5b33dd2beee242c8d3dfae2f5594e635548ccb02ec999d06287', '7', 0, 0, '7.jpg', 9, 48, NULL, NULL, NULL, NULL);
INSERT INTO public.pictures VALUES ('fe46f308a535199868595da55d163a179099e41ce273dead1bb41c6afd6ca38d', '\x01c4f6ab8ccf7833fe000000000000001e418db009e22b39c8ea8e00b23a3c5d1d935b5e7fa7a51744606aa806ab475945dc3cb8f3098d57c73ecd131b193fa3d13f41b817ee92993534e26c28cf99dd3c2c2b1b56ec1eddea89f2aff06d35a7fcadb9f1afed56557b490f11c053115560d868783f9e4d863bbf8c');
INSERT INTO public.pictures VALUES ('7d3826a4094ee5b33dd2beee242c8d3dfae2f5594e635548ccb02ec999d06287', '\x01c4f6ab8ccf7833fe0000000000000022f4fe4a9a626b88a02c842c7e67b6515db4f7883696bbee821f47d26345e0f9f3b2b6e349ea64d6a7e58372bdb8ebf11800cef3abea3580afb4cc8018d9c747181ec156ab79494662fcb8686937f9c6781eba571af5346b26aec678d36a43c1aeebb304434c196ba45d3f403d1f56');
INSERT INTO public.pictures VALUES ('a702fb64ef2c96d8bb2e8e1c6654eada73b709f20e5334a098c55f7847261025', '\x01c4f6ab8ccf7833fe00000000000000210fff3a555542202f288f0128fdc53a8129d2cbd7ba650329712aad11e872e547547455cdf2ed90df8dc69dbe47fc88ee0e06c123cf2e4dc5fb3140045ae2eee16c5c29b153a1f92c5b0657f86c6b91aa6ef7da63dde9815f46bd0b9e8fd3db4eab6f63b693a66cdba278aa8098');
INSERT INTO public.pictures VALUES ('82119b1944858c602e6dd1b432e71d35dfc09b4e4ffb0f5c001b8a24da41dfe2', '\x01c4f6ab8ccf7833fe000000000000010aec75836de7ed34a8b740fdf095b738b362d4385af598064a1a52241240e8f90be61491cd89ca27ae0bb47b070bfdec68981af3ce0ba25fe03c725e69e0d050e1b7e30e4dc207fdc737333f3054728e648559f693ac481394eb502862fe7339230c974f8038c97a5fa94f5f5c42b594388f7da2dbf1e9d98ac36f5746b31c2c0d64f67cb31bf00e64a54860527297ec36f609e251c977745be663cde7635f25d39fc42123bd50151fc046fa13e493727e913b6424e7ce0fdae42839e7da7b8d39638d4675b0b6b0cbad3861bc0a06086ce434b049f6ec4251b3f5268a5d1738d619a6d7e83d798d43c9eba2a87c031cea27629231eb7e241c136b34e1a161678fe150155c9ae82493d1f8afb4bf759c65f2d69ff53cb5945262956935da41c27ad60432f06fde9a24825e5855b7812795169ba48a16c46a8d2ae2d6619ce4ce8a6adefd1fcd63c2959b7b856f664a403e35fc142eaf09');
INSERT INTO public.pictures VALUES ('e33f5b0c8411ba7e0a0c3f7b1ac1a904aed89e69875311d8a8d93010fc95cc4f', '\x01c4f6ab8ccf7833fe0000000000000008c94f37322d43dd73735e563b9628e294ae19ff25fa18c0c9baef84e07bd491ee4946cdf6e6e5c841d5c153ad72fb4555fa8c98870c02293ea33a8a0dc3bb719f9abc71713129472f1fa562f8811589947e4d2c02');
INSERT INTO public.pictures VALUES ('89940881ebfd460ff441832b91af99e8c0f43e3b1fe3983aed4e77246ea8bb20', '\x01c4f6ab8ccf7833fe00000000000000cb0b99da070c598a961a28e082860332a7b1b4c0884b9cc447a746953434cbca2aa64012152deaaa879f98faf69e16a4b10c3c678b912bbc1d9d841f25ec5190641c06ccc559b9914584b33a6dad1d9a4d48185c2e2e949a62211144f95548a7ab47332af8f89b5bca4b1bd2716cfb28b06dce690ab9a838eb0250a47bc29a4a9f37af0c19009d59b1e805893952cbb8611b824ba66f8b0c6627532c9088a59dbaa4b649032773cdba704237960d39a25b806912b4ffda7d0f268596eb63e04b8e08235e74596241f66cf1cc1e4312cb66f16756488122708b36b7a3a9c69fa002b5235b2f7539cb531c864658dbab77f1729a3bc561c9853a786dc1a0831236f146799818d2d42a176bc6e65c1d67808efc8be918976ae5');
INSERT INTO public.pictures VALUES ('812e623a6c5d133080100100c0f268f63194e5bd805d49ec76f29c7afbff693e', '\x01c4f6ab8ccf7833fe0000000000000118672f422837ed01fc84d7e165815f41f1aeab04c7e371e14ca59cb2444e6db1b748756a5a01c2b4097d4e05cb39f4735432634a3ec63a1a0a75bd04e07bc864610184127d4d61a6ea28c6d153ed1344ce80073d8dfae9101561e2103f8c70ee4bc2d378425d59ccaffb4985ca77b1cb05e0196115318a47c1f733c58b1a867fb46993e2d01cae1384149d8892c22f053e376c815a01721c998a1935b7ce203eb2a11fc9611eebf23470befd2561bf3b3c4a0eb67cedc587e169b2f74fbb52d99c895c173dd04ec04a2890f538d6d2f9217478db494c46dc5a70640568271bceb130fbe14efc7a65d775c9c18b5466c2c62c31715197b3b4d2f47bc6ee8cc435a3bb386d9bf55308dc112162aa22480e36cf3878fbe29222b171afa33450adf32f92f5c0d8c882788c33c1d37e0767162b9911a4965077e3dd4ff4a97c3eca254355690b2f9490b5db107797aea6c819c9267c32af90df6354c378cd1d300bdc01f09a8a74');
INSERT INTO public.pictures VALUES ('55e13a9dc2fa2beb5613c10afe8e47d34c52b35ae5bf983b3f16c6844c6ba1f1', '\x01c4f6ab8ccf7833fe0000000000000060ec9b0dde9c5168a5bc46e167f158fed5d0ad008b0e5da466b89b3db3de51cea6e44973e4d3c704e19ab2e0bbe07b4c4f536874113755a031cdd1ccba0ef0727fb8384234541afd8153d106ac77550268043b84c8a91476582d430b05b2154619d2f7ba5443a9a060bcca24ac603f7e5018905899b965cc021224c0348f144e21f40048b743502c43d23d7ec0df9053d56743af1b14b60a74bebd9c31c983027d9a0c0b8c5321d4574c834430');
INSERT INTO public.rejects VALUES (1, 1, 'ATTLOG', '\x01c4f6ab8ccf7833fe000000000000000c979901ed77d638aa7a943f06efc62e3b0f803ea6b6077e602fe52c2ad9db4e1fa5009310ac9024b60e76258790dafa4c6acaf856bf4dbedf847cff812a5a50dd82bd42179d5ff966c28f8c593c740e877722220e5542e9c3', '\x42d311f8bc4e5df56bf9b72929675c82add3ad59bea82fdc2f2f3f01f0c0aef6', 1772366400000, '\x01c4f6ab8ccf7833fe000000000000001b700593364c25ce75d576a0d0edac954dcd28706a55c4415705cb08fbacf00b116b001f9cef5a2e3e7bc65024aa3206228e9e193adbcdca13c033a7a872b058970aefd855087fa3f543b596917f030f25f0b79f1285b32bde50393ab1e3baeedd1ed083ff861901');
INSERT INTO public.rejects VALUES (2, 1, 'OPERLOG', '\x01c4f6ab8ccf7833fe00000000000000139e453dd8d1e8dd38c7ff167589d978f8abf5ea478d0b038a2524241183c9c59d228d9357454477ecdc9808387747caa308887fe79b2019c348786d0a1557b37648b1afac5e5d70f8f2cac1f9cb451a9d23ad25ad4d76082b5631c69be3359e', '\x88485245c5ea2d8cd57e97baa42410c1b84c12ceaeee7b605194fc7524f7b6f9', 1772366400000, '\x01c4f6ab8ccf7833fe0000000000000023aa49a8de386de512d7dcb8c784ade4ae1e3de356b8dd6b96f06244d317ec659efff14ea8f46eb2a137cbf6918e082a989d3bb3529ca39e7cd0bcaef93a1ccb0510100539da44839a4ebc9a4804a9df8681218d520a39ac434dfa7e101bcd4d5647f540e977a82bc66bf5040a8f0443');
INSERT INTO public.rejects VALUES (3, 1, 'ATTPHOTO', '\x01c4f6ab8ccf7833fe000000000000005d4a241bf38fecc3192d7752a72a698493d64cc1c9bae2cce6de3132d7d4da65883ac502bac67b7ae4a41d786d223642b963f1e6a279b1e7faf91c06960e9f5f9bac6a414a96e5ee770e1805c4fe2a9d01357af0ebe47328ed4457e4fcf5765063cbed93c9d3c0236b08af807bc12fafaae8540af408b4c46fc981d42f9d2299277948556d9494770ff620956a21ddb5e85de5126f66ebaac8b1ab6f5549a89b61456bc8028146a21613', '\xe887b932f7446aa52fc028c237e3a0ff7ad1067a18681d253d2d90b4da9aa750', 1772366400000, '\x01c4f6ab8ccf7833fe00000000000000286034b0c206643d0d869acab3ecba702da88167f113652266cdd464a925e6de7e6a74d06b47dadcb61526d4912970ca84c7fb958e48317bf093115cc19edf3abd7602288165e94a6a0905ae59063f4d29a28183fd1d16162054b837ab91b1402f43e6650ccf4977ed2c9d143ff1df5ee5fb57d993');
INSERT INTO public.removed_devices VALUES ('GONE000009', 794);
INSERT INTO public.sessions VALUES (2, '\x01c4f6ab8ccf7833fe00000000000000157e40111664da36f4702fcca00ce1bd03496f44273fdb1f308957d8f7bc5ada7465f7579bc78eadf8cb4377132f74c879c21b31bd1a2c9d3edf289e92169a33b9502d4c7452d4d8d9abd62e0ac6fb554ae317b9dbe24aad17af2bec00af51191d7b', 3, 'x25519-aes256gcm', '\x01c4f6ab8ccf7833fe000000000000004ecdde2a6249d8ed7ccd0e117ca0221665cf45cd9b6f9836b316b2f33cfa0999a103293a8e30a129ea9987ba96cd1bb39e4f5814a5d5e572c47e9c54f9b9ac2e35a4f61d7c9d5d8d6608ffcc6264ba55295a0c3c474cbab96a7dd57f154f56869ab66b6cb47ab684a45cf06595b023a8ad395cbe464509ab540ca1ffc7c083b4e5b9c189d4b4354c54579e230c5b72c41548c9a3d44c62f0373a57', 3, NULL, NULL, NULL, NULL);
INSERT INTO public.stamps VALUES (1, 'ATTLOG', '102');
INSERT INTO public.stamps VALUES (1, 'OPERLOG', '103');
INSERT INTO public.stamps VALUES (1, 'ERRORLOG', '104');
INSERT INTO public.stamps VALUES (1, 'IDCARD', '105');
INSERT INTO public.stamps VALUES (1, 'ATTPHOTO', '107');
INSERT INTO public.stamps VALUES (2, 'ATTLOG', '5');
INSERT INTO public.stamps VALUES (10, 'ATTLOG', '1');
INSERT INTO public.templates VALUES (1, 1, 1772366400000, 'FP', '7', 5, 0, 1, 1, 1, 10, 0, NULL, '\x01c4f6ab8ccf7833fe0000000000000014b4b4ed8acaa2fcd82919a3102ae5e8336ac921899b4b3eff09fe6b06443b100ad5c3e97580fe8d012419d938427ddde11296b02d970e8df8bd778ef5e62f09c48a476725bd432cef640cd2228bf96e640438c10ec17e32f230765aad13e7045d', NULL, '\xd9bce370266d24dc7c9e34a65cda599310b2631f1e3edaa709b19c864efbb3c2', NULL);
INSERT INTO public.templates VALUES (2, 1, 1772366400000, 'FACE', '7', 0, 0, 1, 0, 2, 7, 0, NULL, '\x01c4f6ab8ccf7833fe00000000000000142b8543825bc41e90d80eb64ce9aa95586a7f9d54fe044edc97850b2b1e64bd576cc88ee2e2ab8754323529832a9b703085fc745c28532d17e0fa057807d092085b5ba430f7d367099c2acff03e043b42cc9dfa1b9e4ba5f7a3893681510000c0', NULL, '\x526903a507055eddd3f3ecc1b1fbd02edca99485650568ed351ff84ca033ecda', NULL);
INSERT INTO public.templates VALUES (3, 1, 1772366400000, 'FVEIN', '8', 2, 1, 1, 0, 7, 0, 0, NULL, '\x01c4f6ab8ccf7833fe0000000000000014673531f8c9e2a8c9be80ce5ae3a1187ffa1a90f88e2946c294bd54d64a45c68abf449175e01f76041446fcd5a0fc7101d012e0237988b6aceceaf7c67ead75f6517d9a82260f57d08dbe4ae8225d112bd6ee7f810324e5d1cb839932decf6aa5', NULL, '\xd9bce370266d24dc7c9e34a65cda599310b2631f1e3edaa709b19c864efbb3c2', NULL);
INSERT INTO public.templates VALUES (4, 1, 1772366400000, 'BIODATA', '8', 0, 0, 1, 0, 8, 1, 0, '0', '\x01c4f6ab8ccf7833fe000000000000001447b15ac2e9436e3f9017234ad1ff6ad6c7b4d6f25a35127fd7c46f2a5d8ea445000bd9ee5222f7894a965ae603ed8e0c255eeca1a72715d6de6adb7b9066393936696d4d7ed480871b16d5f214e97aa62e031e325b5444b45b932d85849d9b7c', NULL, '\x90f6ee4a48a8bd79a02690b216a22339dfd8b21ab1fe8f74f4651e8e6f3555c2', '\x01c4f6ab8ccf7833fe000000000000001037f082639a36467d9c521bf6eb1ad707b348a23c8cb988422e2ef659f64673873083da09ef195704aff79f2301dd31b282219ccc87343463c7aa7621e4a601fba1b0a2bd91f545fbc8bb19460d4a9d9f42a9d9b1cc995bacb327914a');
INSERT INTO public.tokens VALUES (1, 'hr', '\xc9cde5c5cd2774bba35b9520494dff9b6412ebdb3f6986453d3ea6709273e610', '["biometrics","read"]', 1772366400000, 'token admin', NULL, NULL);
INSERT INTO public.tokens VALUES (2, 'it', '\x8e1f23d6f98a6d517e3739de0c1803cbbeede54bf33afa62d19012fc6916b574', '["dangerous","read","write"]', 1772366400000, 'token admin', 1798761600000, NULL);
INSERT INTO public.users VALUES (1, 1, 1772366400000, '7', 'Ann Nobody', 14, '123456789', 2, '0001000200000000', 4, '987', NULL, NULL, NULL, NULL, '\x01c4f6ab8ccf7833fe000000000000000900145ebf964855e1809590a78df31ea21e6b4a652ae2601fc374fecb6713d9e1567c6107f00174bb08e2a93b0a45808f731af837f7c138cab81c24e2efd3a3e8fc96762a77a3e3cb8d1c75ffff79592f65db968fe5', NULL);
INSERT INTO public.users VALUES (2, 1, 1772366400000, '8', '�cd�f5С�c3�f7', 0, '133440', 1, '0001000000000000', -1, NULL, NULL, NULL, NULL, '\x01c4f6ab8ccf7833fe000000000000004a76ef533ba6c2ea2e536cdde14053251ce72d42d8ca683f644fc1644898c65eebc1700a721a4970ed8884ac434ec08face6d68e81411da55e3683fdbdb8f96aab340ec6826718e63b0d5a19586d47c9c154a2c2880da8f5280a7deee94b47ed7fcde5d5b9fa52e786833fd6ffcf0993677e0b39ad3d929f326bd3e95e8f81e3fd6fb2cb672b1649ff3ca560f3f1860eb4c83c54b52cdc', '\x01c4f6ab8ccf7833fe0000000000000000387a5e4c6fcbc66f1968a81cb7a60f3af5f94c9d78537bb87dd81d53f2d1721094db3772a637eb8b0a55588b77a627e1b6c0f51404fb26fb29927b8d2935d6eabd3a50b839e4da83c3f1cb58', NULL);
INSERT INTO public.users VALUES (3, 1, 1772366400000, '9', 'Bo', NULL, NULL, NULL, NULL, -1, NULL, NULL, NULL, NULL, NULL, NULL, '\x01c4f6ab8ccf7833fe00000000000000128682dc031d91df9fa9e559ffb3dfb581a9020cd0c17b5b3a65cfba4b8dd6c86f42d21dbdf3901b515ed848dd3008f4f8624fcaa58afdd098d0afd70ae2c74d4d607734a2db3a57f305513a2d684618349a778f540025a752174616cae945');
INSERT INTO public.versions VALUES ('users', '["7"]', '\x8ddf4b671a0ae3b237350665dfbd2c7293a319cfe19219fa88e55befed20585c');
INSERT INTO public.versions VALUES ('users', '["8"]', '\x81af1a8929747a135030938764a741e45db6febf1bc8efd42e618cd94833fdca');
INSERT INTO public.versions VALUES ('users', '["9"]', '\xdc93cf1234edc13c98876d4ff6cb6342c03b15fc338e50571900ec79af666322');
INSERT INTO public.versions VALUES ('templates', '["7",1,5,0,10,0]', '\xc29a4c81526384f01b56b7b68e45bf4d8434ec2fd0e0a30eb1adb873c60c21a9');
INSERT INTO public.versions VALUES ('templates', '["7",2,0,0,7,0]', '\x1fddad0cfb7efb01fca593ee3046dfd71ae27a47b73e2cb841e5e18ef0690d2b');
INSERT INTO public.versions VALUES ('templates', '["8",7,2,1,0,0]', '\x1abf5451b14299c983f229215e7c59b09671ff45b78ef6b29d41507be8d2f568');
INSERT INTO public.versions VALUES ('templates', '["8",8,0,0,1,0]', '\xf0a6f8e4791769fc5653d9e77e9304866e4aefeefb1c58d2241b81f775d3eb0a');
INSERT INTO public.versions VALUES ('person_photos', '["7",0,0,0,"USERPIC"]', '\xd2b7b0a403b5cef2c2df57318abd1f33bb91ec908e568dbcbb5af1e9960ea33f');
INSERT INTO public.versions VALUES ('person_photos', '["7",9,0,0,"BIOPHOTO"]', '\xd63e36b6e5e358183af45114aa83c350688acd40c1ba313071484e93216bf422');
SELECT pg_catalog.setval('public.attendance_id_seq', 7, true);
SELECT pg_catalog.setval('public.attendance_photos_id_seq', 2, true);
SELECT pg_catalog.setval('public.audit_id_seq', 66, true);
SELECT pg_catalog.setval('public.commands_seq_seq', 21, true);
SELECT pg_catalog.setval('public.devices_id_seq', 10, true);
SELECT pg_catalog.setval('public.entries_id_seq', 2, true);
SELECT pg_catalog.setval('public.errors_id_seq', 1, true);
SELECT pg_catalog.setval('public.events_id_seq', 75, true);
SELECT pg_catalog.setval('public.files_id_seq', 6, true);
SELECT pg_catalog.setval('public.idcards_id_seq', 1, true);
SELECT pg_catalog.setval('public.operations_id_seq', 2, true);
SELECT pg_catalog.setval('public.person_photos_id_seq', 2, true);
SELECT pg_catalog.setval('public.rejects_id_seq', 3, true);
SELECT pg_catalog.setval('public.templates_id_seq', 4, true);
SELECT pg_catalog.setval('public.tokens_id_seq', 3, true);
SELECT pg_catalog.setval('public.users_id_seq', 9, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.attendance
    ADD CONSTRAINT attendance_identity UNIQUE ("time", device_id, pin, status, verify);
ALTER TABLE ONLY public.attendance_photos
    ADD CONSTRAINT attendance_photos_identity UNIQUE (device_id, name, picture);
ALTER TABLE ONLY public.attendance_photos
    ADD CONSTRAINT attendance_photos_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.attendance
    ADD CONSTRAINT attendance_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.commands
    ADD CONSTRAINT commands_id_key UNIQUE (id);
ALTER TABLE ONLY public.commands
    ADD CONSTRAINT commands_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.devices
    ADD CONSTRAINT devices_sn_key UNIQUE (sn);
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_identity UNIQUE (device_id, table_name, key);
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.errors
    ADD CONSTRAINT errors_identity UNIQUE (device_id, identity);
ALTER TABLE ONLY public.errors
    ADD CONSTRAINT errors_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.files
    ADD CONSTRAINT files_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.holdings
    ADD CONSTRAINT holdings_pkey PRIMARY KEY (table_name, key, device_id);
ALTER TABLE ONLY public.idcards
    ADD CONSTRAINT idcards_identity UNIQUE (device_id, identity);
ALTER TABLE ONLY public.idcards
    ADD CONSTRAINT idcards_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.keys
    ADD CONSTRAINT keys_pkey PRIMARY KEY (id, site);
ALTER TABLE ONLY public.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.operations
    ADD CONSTRAINT operations_identity UNIQUE (device_id, identity);
ALTER TABLE ONLY public.operations
    ADD CONSTRAINT operations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.person_photos
    ADD CONSTRAINT person_photos_identity UNIQUE (pin, type, number, index, kind);
ALTER TABLE ONLY public.person_photos
    ADD CONSTRAINT person_photos_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.pictures
    ADD CONSTRAINT pictures_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.rejects
    ADD CONSTRAINT rejects_identity UNIQUE (device_id, digest);
ALTER TABLE ONLY public.rejects
    ADD CONSTRAINT rejects_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.removed_devices
    ADD CONSTRAINT removed_devices_pkey PRIMARY KEY (sn);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (device_id);
ALTER TABLE ONLY public.stamps
    ADD CONSTRAINT stamps_pkey PRIMARY KEY (device_id, name);
ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_identity UNIQUE (pin, type, number, index, major_version, minor_version);
ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_name_key UNIQUE (name);
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.unfinished
    ADD CONSTRAINT unfinished_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_identity UNIQUE (pin);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT versions_pkey PRIMARY KEY (table_name, key, digest);
CREATE UNIQUE INDEX commands_idempotency ON public.commands USING btree (device_id, idempotency_key);
CREATE INDEX commands_of_device ON public.commands USING btree (device_id, seq);
CREATE INDEX commands_open ON public.commands USING btree (device_id, seq) WHERE (state = ANY (ARRAY['queued'::text, 'sent'::text]));
CREATE INDEX devices_revision ON public.devices USING btree (revision);
CREATE TRIGGER audit_not_changed BEFORE DELETE OR UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION public.audit_is_append_only();
CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.audit_is_append_only();
ALTER TABLE ONLY public.attendance
    ADD CONSTRAINT attendance_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.attendance_photos
    ADD CONSTRAINT attendance_photos_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.commands
    ADD CONSTRAINT commands_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT entries_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.errors
    ADD CONSTRAINT errors_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.holdings
    ADD CONSTRAINT holdings_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.idcards
    ADD CONSTRAINT idcards_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.operations
    ADD CONSTRAINT operations_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.person_photos
    ADD CONSTRAINT person_photos_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.rejects
    ADD CONSTRAINT rejects_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.stamps
    ADD CONSTRAINT stamps_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.templates
    ADD CONSTRAINT templates_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
