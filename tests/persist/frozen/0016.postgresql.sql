CREATE FUNCTION public.audit_head_goes_on() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN
        IF NEW.name <> OLD.name OR NEW.last_id < OLD.last_id OR NEW.start_id < OLD.start_id THEN
            RAISE EXCEPTION 'the audit log is append-only';
        END IF;
        RETURN NEW;
    END $$;
CREATE FUNCTION public.audit_is_append_only() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE FUNCTION public.audit_keeps_rows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN
        IF OLD.id > coalesce((SELECT start_id FROM audit_head WHERE name = 'audit'), 0) THEN
            RAISE EXCEPTION 'the audit log is append-only';
        END IF;
        RETURN OLD;
    END $$;
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
    raw bytea,
    doubt text,
    extra bytea
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
    extra bytea,
    pointer bytea
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
    detail text,
    mac bytea DEFAULT '\x'::bytea NOT NULL
);
CREATE TABLE public.audit_head (
    name text NOT NULL COLLATE pg_catalog."C",
    last_id bigint NOT NULL,
    last_mac bytea NOT NULL,
    start_id bigint NOT NULL,
    start_mac bytea NOT NULL,
    seal bytea NOT NULL
);
CREATE SEQUENCE public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audit_id_seq OWNED BY public.audit.id;
CREATE TABLE public.comm_keys (
    device_id bigint NOT NULL,
    fingerprint text NOT NULL COLLATE pg_catalog."C",
    address text,
    first_seen_at bigint NOT NULL,
    last_seen_at bigint NOT NULL
);
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
    file_id bigint,
    file_digest bytea
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
    tokens text DEFAULT '[]'::text NOT NULL,
    returns_token boolean DEFAULT false NOT NULL,
    bare_addresses text DEFAULT '[]'::text NOT NULL,
    encrypts boolean DEFAULT false NOT NULL
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
    raw bytea,
    extra bytea
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
    md5 bytea DEFAULT '\x'::bytea CONSTRAINT files_md5_not_null1 NOT NULL,
    command text COLLATE pg_catalog."C",
    pointer bytea
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
CREATE TABLE public.identity (
    id text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.inbox (
    id bigint NOT NULL,
    plugin text NOT NULL COLLATE pg_catalog."C",
    device_id bigint NOT NULL,
    table_name text NOT NULL,
    mark text NOT NULL COLLATE pg_catalog."C",
    content bytea NOT NULL,
    received_at bigint NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_at bigint DEFAULT 0 NOT NULL,
    isolated integer DEFAULT 0 NOT NULL,
    error text,
    failed_at bigint
);
CREATE SEQUENCE public.inbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.inbox_id_seq OWNED BY public.inbox.id;
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
    raw bytea,
    extra bytea
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
    extra bytea,
    pointer bytea
);
CREATE SEQUENCE public.person_photos_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.person_photos_id_seq OWNED BY public.person_photos.id;
CREATE TABLE public.picture_plugins (
    name text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE public.pictures (
    digest text NOT NULL COLLATE pg_catalog."C",
    content bytea NOT NULL,
    kept_at bigint DEFAULT 0 NOT NULL
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
ALTER TABLE ONLY public.inbox ALTER COLUMN id SET DEFAULT nextval('public.inbox_id_seq'::regclass);
ALTER TABLE ONLY public.operations ALTER COLUMN id SET DEFAULT nextval('public.operations_id_seq'::regclass);
ALTER TABLE ONLY public.person_photos ALTER COLUMN id SET DEFAULT nextval('public.person_photos_id_seq'::regclass);
ALTER TABLE ONLY public.rejects ALTER COLUMN id SET DEFAULT nextval('public.rejects_id_seq'::regclass);
ALTER TABLE ONLY public.templates ALTER COLUMN id SET DEFAULT nextval('public.templates_id_seq'::regclass);
ALTER TABLE ONLY public.tokens ALTER COLUMN id SET DEFAULT nextval('public.tokens_id_seq'::regclass);
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0016');
INSERT INTO public.attendance VALUES (1, 1, 1767600000, 1772366400000, '7', '2026-01-05 08:00:00', 0, 1, '3', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (2, 1, 1767600001, 1772366400000, '8', '2026-01-05 08:00:01', 1, 15, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (3, 2, 1767632400, 1772366400000, '7', '2026-01-05 17:00:00', 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance VALUES (4, 4, 1767603600, 1772366400000, '9', '2026-01-05 09:00:00', 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.attendance_photos VALUES (1, 1, 1772366400000, '20260105080000-7.jpg', '72fcc5d1de3aafe6afe78702aa53e12131ae5351fa104eee4670bece925b5555', 6, NULL, '7', NULL, '2026-01-05 08:00:00', 1767600000, NULL, 'uploadphoto', NULL, NULL, '\x012157b946f5e90a3400000000000000402f161cfffcddcbf70484732c14d36aceeca220ccf303733b0692dbc447f65eb6c26b4e72861a0e5103f14ebd3b0d382317ae3139a61e7640e591e381b5b6c95bb2f54893726c14582a7694579cc4f300cbfac7e92e008c2be3a1cb519148f7394f0495bf508b24b20db88222c85cceb9327d10598dd796cb11cd8fea2aa15486a10e0474361419544d97506e');
INSERT INTO public.audit VALUES (1, 1772366400000, 'token admin', 'queue command', 'terminal GATE000001', 'mm7p6yo08an0ni: REBOOT; by API from 192.0.2.7', '\xe1292eb5eae2b803d5c182a43fa441706a98012aa507f55b42e763cd1158a365a04259cf8171c8c4');
INSERT INTO public.audit VALUES (2, 1772366400000, 'token admin', 'queue command', 'terminal GATE000001', 'mm7p6yo03sjvaz: INFO; by API from 192.0.2.7', '\xe1292eb5eae2b8038fe1ab5c4074fb2d2982318280a719552f0e2e791a087016b53f167e066b7d8a');
INSERT INTO public.audit VALUES (3, 1772366400000, 'token admin', 'queue command', 'terminal GATE000001', 'mm7p6yo0rcbvxq: LOG; by API from 192.0.2.7', '\xe1292eb5eae2b803335ba011da0a2196c687a8307ca992b714de7f81c39275650b7bf6df5d6156a6');
INSERT INTO public.audit VALUES (4, 1772366400000, 'token admin', 'create token', 'token hr', 'read; by API from 192.0.2.7', '\xe1292eb5eae2b8036b2ee91da494073af31c405e676e5a7aa81efff61861ec726587083aded7a9ca');
INSERT INTO public.audit VALUES (5, 1772366400000, 'token admin', 'change terminal', 'terminal GATE000001', 'alias=Main gate, area=north; by API from 192.0.2.7', '\xe1292eb5eae2b8033f52d45bd05209e6390a714748073fcf69df013c65bc9b934b30caf223c35c4d');
INSERT INTO public.audit VALUES (6, 1772366400000, 'token admin', 'remove terminal', 'terminal GONE000003', 'by API from 192.0.2.7', '\xe1292eb5eae2b803b65734620137c6896794ca84c78e415fce8160aad5d9c4473dee0625a1d41991');
INSERT INTO public.audit_head VALUES ('audit', 6, '\xe1292eb5eae2b803b65734620137c6896794ca84c78e415fce8160aad5d9c4473dee0625a1d41991', 0, '\x', '\xe1292eb5eae2b803a9df84595944de9f1b8c9f9f5be57498eedab6abbcf77ebfd618c472b16d130c');
INSERT INTO public.comm_keys VALUES (1, '822d5784354329d36e86e8939143d1c128e4b98b3202bc076aaf4452925b4151', '192.0.2.7', 1772366400000, 1772366400000);
INSERT INTO public.comm_keys VALUES (2, '', '192.0.2.7', 1772366400000, 1772366400000);
INSERT INTO public.comm_keys VALUES (4, '', '192.0.2.7', 1772366400000, 1772366400000);
INSERT INTO public.commands VALUES (2, 'mm7p6yo03sjvaz', 1, 'INFO', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x012157b946f5e90a340000000000000026049d1b9a9d2ff4c590632c39e0a4466e530edf2ad890fbc5aab56026445b99ce60fac1e9603e14ca6b7576b1e2cd5312fdcbbf517ec25e8cba9e0515eca1ced1ca9cb7164545a4ea988c00b2a8a891d1469b80d096334408aaa384d3bee4e4155d5f65e036b7b0fbf1dc346d3eff5964dd3e', NULL, NULL);
INSERT INTO public.commands VALUES (3, 'mm7p6yo0rcbvxq', 1, 'LOG', 'queued', 0, NULL, NULL, 1772366400000, NULL, NULL, NULL, 0, NULL, '\x012157b946f5e90a34000000000000002580dcc10b0c248865869823c419d94d73bd1fcb8dfd927d5074b31542f671a4d3c6b5c5fc51cd6144b5802445dbc946af925c49b75d1c5d43309f9a2e794573fcacf56aaf83291c22d89127f8b074d8641c250b2683772d912bb610b787318961b1e06b947148e80f606c74af42e395db6a', NULL, NULL);
INSERT INTO public.commands VALUES (1, 'mm7p6yo08an0ni', 1, 'REBOOT', 'sent', 1, 1772366700000, NULL, 1772366400000, 1772366400000, NULL, NULL, 0, NULL, '\x012157b946f5e90a3400000000000000288e735509ec2e69f67ddc5f144587a6fc38e27088357404b5c439ed31bb1a779d1250fa99f855e6aa8d58109883b5a5b14c278023921aa3902de4c3d59b124b2d2f3466494bae5d8b8fbff46a0d44aa31ef855cb5c36972f344f8eb1338147453b3f3b0e90cd17c0a9ced29cde42fcfa844c40220', NULL, NULL);
INSERT INTO public.devices VALUES (1, 'GATE000001', 'approved', 'Main gate', 'north', 'UTC', 'ready', '2.4.1', '69', NULL, NULL, '0', '192.0.2.7', NULL, 1772366400000, 1772366400000, '{}', '{}', '[]', 774, '\x012157b946f5e90a3400000000000000395f7bf717dcd344a4f6d0a802f5af3d864f5da597e0723930d91cc685a30cd8b9a767955ab7c41db933b7cad50ba0915861cc1b73324ce173ea294abd86f8e9369ec07daaad58fab85f0572861aaf512b0788146c260bec4c25bcbbca151574eee7c0da623275a5b8bd35d6d1d2c43c3e3a022c88f79e4580a6056b3b8db7c19476321c8135', '\x012157b946f5e90a34000000000000000235205eca5c4773025c46b4a927a8a7f582043aeb5c0c624c1afe6a31602f1874496c33b1deb25f30ee56da07d52e2df97f496595c0c5fd68881518b0f2e6e5ff8557c450be296e464b8683a09ae0', '[]', NULL, NULL, 0, 'check', '[{"digest":"a7ad310c422b143039559fe4d026e425af5525f29e000e665701a74da2a18ca9","address":"192.0.2.7","proved":false,"trusted":false,"follows":null}]', false, '["192.0.2.7"]', false);
INSERT INTO public.devices VALUES (2, 'HALL000002', 'approved', NULL, NULL, 'UTC', 'ready', '2.4.1', '69', NULL, NULL, '0', '192.0.2.7', NULL, 1772366400000, 1772366400000, '{}', '{}', '[]', 762, NULL, '\x012157b946f5e90a3400000000000000025836af63b762df7c910d4967e3557361b71003830b73f335d2dcd97cffdbbfde0e8990889360336fefd0524a6cead6f0a7cd85b144d90a5399bb3ae9ffc89e1ccfdd5ced0a9fcdd90403aeea01a5', '[]', NULL, NULL, 0, 'check', '[{"digest":"788792d63f5687f419cc01823500c66123b8c001d16e5eda8d1e285aab94fc44","address":"192.0.2.7","proved":false,"trusted":false,"follows":null}]', false, '["192.0.2.7"]', false);
INSERT INTO public.devices VALUES (4, 'LOCK000004', 'approved', NULL, NULL, 'UTC', 'encrypted', '2.4.1', '69', NULL, NULL, '0', '192.0.2.7', NULL, 1772366400000, 1772366400000, '{}', '{}', '[]', 782, NULL, '\x012157b946f5e90a340000000000000002f3cb0d107916a09abaf3a314aef59e31daddce6e802cc717a176d645369e744de926c5cfb0aa2051ae85f8fde996f3224e0c8dd9abb059446a5f03a5e3fe1253f28075ca485ac757be6fcbd7a8cf', '[]', NULL, NULL, 3, 'check', '[{"digest":"433e2d75b905634eb92bc57139c9f75e72fdf00809dc928692b5abde1a8b8db6","address":"192.0.2.7","proved":false,"trusted":false,"follows":null},{"digest":"e4d17554c3830d9388612500da00945218966d2e5894689684d432a2a72100ce","address":"192.0.2.7","proved":false,"trusted":false,"follows":null},{"digest":"bdc8c1129659a9a846c46a85dfb4d916f3408ea3eec1ad76238288c807852130","address":"192.0.2.7","proved":false,"trusted":false,"follows":null}]', false, '["192.0.2.7"]', true);
INSERT INTO public.entries VALUES (1, 1, 'WORKCODE', '["3"]', 1772366400000, '\x56a7e7311ed0a601f8d11b769a8e18cdd53274a08e060f3104c0f795521a9929', '\x012157b946f5e90a340000000000000029c6dd64f113592b6873e62596314dfac88494fdd02e2a28d26eab86e4b5af218303eb6bfdaa90770905e8a44b03c3b35537d6c18f4c6b2e721d26225d29671d504bde406d4085bc9157b3c7ec4c9b66cad62900f2de7b92e5bb0fc44f5a2841947c3257d6500d7c3fdfd93da8fe7162d0c5b9a1a754');
INSERT INTO public.errors VALUES (1, 1, 1772366400000, '\x18b8bd3e130468e2ab8c7b48a8b5866d84e585870abad169bdc14360d7854a40', 'D01E0001', 'Camera', 'dev', '1', '', NULL, NULL);
INSERT INTO public.events VALUES (1, 'device', '{"device":"GATE000001","what":"added","values":{"state":"approved","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (2, 'device', '{"device":"GATE000001","what":"changed","values":{"session":"ready"}}', 1772366400000);
INSERT INTO public.events VALUES (3, 'device', '{"device":"HALL000002","what":"added","values":{"state":"approved","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (4, 'device', '{"device":"HALL000002","what":"changed","values":{"session":"ready"}}', 1772366400000);
INSERT INTO public.events VALUES (5, 'device', '{"device":"GONE000003","what":"added","values":{"state":"approved","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (6, 'device', '{"device":"GONE000003","what":"changed","values":{"session":"ready"}}', 1772366400000);
INSERT INTO public.events VALUES (7, 'user', '{"pin":"7","what":"user","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (8, 'user', '{"pin":"8","what":"user","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (9, 'user', '{"pin":"7","what":"template","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (10, 'user', '{"pin":"7","what":"photo","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (11, 'user', '{"pin":"8","what":"photo","device":"GATE000001"}', 1772366400000);
INSERT INTO public.events VALUES (12, 'command', '{"id":"mm7p6yo08an0ni","device":"GATE000001","command":"REBOOT","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (13, 'command', '{"id":"mm7p6yo03sjvaz","device":"GATE000001","command":"INFO","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (14, 'command', '{"id":"mm7p6yo0rcbvxq","device":"GATE000001","command":"LOG","state":"queued"}', 1772366400000);
INSERT INTO public.events VALUES (15, 'command', '{"id":"mm7p6yo08an0ni","device":"GATE000001","command":"REBOOT","state":"sent"}', 1772366400000);
INSERT INTO public.events VALUES (16, 'device', '{"device":"GATE000001","what":"changed","values":{"alias":"Main gate","area":"north"}}', 1772366400000);
INSERT INTO public.events VALUES (17, 'device', '{"device":"GONE000003","what":"removed","values":{}}', 1772366400000);
INSERT INTO public.events VALUES (18, 'device', '{"device":"LOCK000004","what":"added","values":{"state":"approved","timezone":"UTC"}}', 1772366400000);
INSERT INTO public.events VALUES (19, 'device', '{"device":"LOCK000004","what":"changed","values":{"session":"ready"}}', 1772366400000);
INSERT INTO public.events VALUES (20, 'device', '{"device":"LOCK000004","what":"changed","values":{"session":"keys"}}', 1772366400000);
INSERT INTO public.events VALUES (21, 'device', '{"device":"LOCK000004","what":"changed","values":{"session":"factors"}}', 1772366400000);
INSERT INTO public.events VALUES (22, 'device', '{"device":"LOCK000004","what":"changed","values":{"session":"encrypted"}}', 1772366400000);
INSERT INTO public.files VALUES (1, 'notes.txt', 21, '22f78e95f42f707d7d414426a8fcd6df3dde2bf7994307dd83f350d11211890a', NULL, 1767603600000, '\x012157b946f5e90a3400000000000000209ef3b86a3229635d568a5a64d5a8e66988e8843f7f820e946c0d9f1273e55c41b727a29448395b7a221ff8ef79dcd58cccc31f87a33121ea0c2e098fbbb65438d3f0c50a2b224d58f7dfc739e94e2726ed3bd86a3139ed0cd762b4ec967cb0268570c3776b7baaaa9718d35a', NULL, '\x012157b946f5e90a340000000000000040674a8d7810add120f07502c042c11dd4d875268c09e5e37ee36106c9ab5dfd514b0138d2f62d9370c4cff9646ec94271809d9ffdbc0f5507ebfac6b933534d3daf289e1b4494d46020d4e70463f347fda1dcbc77cc37463bdc60e80176491228d2f483777d128ef1f693c44a941dcaf75157b8d5d4023952120175cab6cae698b9f1e491cabb640dcbd0a780');
INSERT INTO public.files VALUES (2, 'logo.jpg', 1027, 'a3dbabcb18d611494653cdc7acdfa94b332c5e02842cb129b67e4006fa55d90b', NULL, 1767603600000, '\x012157b946f5e90a340000000000000020d314a799d3e996f913ff8c17f0e887c3bc060ec84389d18ac6bf96864f0d9fdb0d4714fff88d8bd194776731797caf258c4d355dc5a1f4132a9d4c6db5cb7cae592614cecab8c1040542ac179ca455e6e84ad45530f70b4879407647d96161151884a8b8c201472a61403e12', NULL, '\x012157b946f5e90a340000000000000040a889ff5aaf6243c657232d87a454eb617da200dd0495c3337b85a20887e394962f394f587f983cb61b3a3706454c51352f655757568dc2327fc56887c257dcbf37d040a56b262fa7beede6fc42e9af67c2e30b16dd4b599cbc99baea0492af5728139e0f20b0196e6718ddaa1df612f729728aaff4fdecad66fbb2e9e8b28f205751733c16cbb8beebc6e6b6');
INSERT INTO public.holdings VALUES ('users', '["7"]', 1, '\xb0b8cd628b17a77327da24b003e89fd0476148f5f2801210135fc86c4ba8ebef', 1772366400000);
INSERT INTO public.holdings VALUES ('users', '["8"]', 1, '\x2d726607cbb08b250b128eea21cf696338188a64082ac834eb427cd148b726b8', 1772366400000);
INSERT INTO public.holdings VALUES ('templates', '["7",1,1,0,0,0]', 1, '\x36c92bef9a4dceb3982d352497f5657890ac85da7554ff946fd9d9b31fd58b98', 1772366400000);
INSERT INTO public.holdings VALUES ('person_photos', '["7",9,0,0,"BIOPHOTO"]', 1, '\x3d4f9889c6cb1083bc31ca3fcde52dd43d3f611ec6d14ffc48e47b1a680e8708', 1772366400000);
INSERT INTO public.holdings VALUES ('person_photos', '["8",0,0,0,"USERPIC"]', 1, '\x400e0a374207a259670bd1520a25ec448b9d6a0fa0af606a7b4c2422353fe2b4', 1772366400000);
INSERT INTO public.idcards VALUES (1, 1, 1772366400000, '\xd93bd436e91f99f93ae07e23d3bd5cf530b5a0685cbc3a2f038d0eec32e6cd17', '7', '12', '100000000000000008', '5', 'Ann', 2, 1, '19800101', '20200101-20300101', 'Street 1', '', 'Office', '', '', NULL, '\x012157b946f5e90a340000000000000404c527fb9fccc39abbbcf9a9f88557a23c3c0e4670ccb3777db1a9e51037f5b3f3134b4b8c7a38a7916c4e4d79f1f461584548a06474d19f13057e8c8c3f3a2862826ddcc3e1b71a72697e8decd9f4582d56a32c72b8baae79acddbca4ef3c536198e4c2d8918f932247672a466bae30990869a6abb65a33a2f6da3413aebb17cb782c383bc8362f471f108d8bba2502b31583873be0cfc3e0be096e801cbb7f2302f52e6a2b03839a4425b48fe3792c1738106da158c733cc8bd359431fa4f2b906845e48913687ce9dc54821ca88c1df02d9111cfb6c992860287a6b0decacafc6d62e5707e3db8af05ebe928311c817954198608d4387afb32101beeeae9eb18fb95d51700f2ddeb61b3101fbbe7aa2f115a8b9c4ee042ced8266cb775ba7c6bb7ef98b531d74f4b650df63d73586fdbf7ae5f285445ab942223d30bf28e77d0312451aa7fa592c3de3739373902529a2d971f15b9d408d90816e7830e16cdf574234a7c05426424a71f1707d7e6e9173e83f402e2df1495ad509133457780486a11b7b6a763e489b49830b3c642b6d52e0299d8fcb5907ae0cf23b19c4f827bc985dec3bfeceac05053a45790cde93522758bacf744e33e8947998120badc70465b501bba16815d8a00d33a7fe1ec834bf51cb629cfccd4e6de705624d9f44ad3dff396d09ff34115d208377504c8fd673d53250955e510cc3228c1b6c1b2d4197e09d8c5e133ba34fb5a4f19ecf0040d993ab094f6592ffb3743600ec3a0c9f03b5226970604ac652a1127f060346d67dc136e67a8ad2a10d8b2a4f048a3ec42481ab4ad2728509a9e1fac2e1e88486a6b4b998b230fd46de45b0a771c6f40825048d3f4d101e563731d0b27a0e117368cbd3d65ee514bdfefb76951c0a63683e43802fd08e423df9e0ff4e60c1a754ddbd3ded3f3dbe1f1fa7149d1e65d07b41b4b0e9aeeebc86fe3a6126b999ffe8e7b2ee3e2a9b8a1c3a217cca578ad9f746f014173c713587ea04e5304a42cafd63adab66e1e70228ee74c6edcead852db1f874f2bfb65aa1c9b8d87aa1d17bebfcdd1bd613e81ea88581abbf08281ff98fcb0e1e16b209d44869daf52919585ddf124e90513a79d7c6f70a9518a825536abbca4d0ae308336d21fd2d6a1557775f6e942eed71d946376b0d3040ee7f0a86962747106eded10f9d651f11a8ad96135574c136a9a666f369f03e277f7d91beb580d39a99450c0b1824ebbf5fa94f0c21d71e6ecec8f563a09f4bf4753f8fea70c68423e86803d25a7e85914e5a64583ef91262b7447d05097cc40775d3341c2a7a2e87fe8944dce611328aff91f5c721c2bfb0341fe8f4880892af18ade03889efe56bd237d2fad61c3962977c55607f223c1d9251c2ad8d9e8d2ea90dec1a6f9d5cde07cdc97255aa0962c8b0712dbc6ad1910c2f2ca7e5766b15134e71322230fcd42214fcbec3c65d9a45e0565dade6d4288d1f43b0e715232359a1a81ab406bc461b13c99ff6036bbc04be0c3fd36ed4b27dba41c90923a8cdf4cd11abfa5b320d069f318c646a9e586db5', '\x012157b946f5e90a340000000000000000a99e17e8892e978fe24618d94cfa33ef4eff3e90f2a475d184ae8c3ab90d75a888eb72f94cf2d6633a5afa8dd58bea4ea6bfde44aab8ef1fd23b1e360a9dee5d549b7631129d3ca5087ea202', '\x012157b946f5e90a340000000000000000b5139b3a9b7e21edac64107314c35be58dbe17de2099cff7bb900ac65f1584548ec01795f7a5739bf51a01d1f004c937f87468376198adac9baf3d9b737832de782c3c19b037a4f5993e3d3b', '\x012157b946f5e90a34000000000000000fbc8e25a04a4df398b629997ca444734b8cf3187c9fc0f67f270f41e46c00320d282d1bfd6d18478300cf323078e7d2c51e6e10caed8367b0b678caf8ab0fd0fc3240b86fa601914f7c6a5028f6656125b2b4372271544f17398324');
INSERT INTO public.identity VALUES ('2c1f05273b2d8f60b813292397a45131');
INSERT INTO public.inbox VALUES (1, 'visitors', 1, 'VISITOR', 'ccd63512f943a678ca8deadae2d6b0a4', '\x012157b946f5e90a34000000000000008815e2b641c484d6055a488a7dc92f80cf840dfc71f5af394505737226b61654be84cff17af2dadab44c2fc050f9b89269c8f17ba591aa167f6372f2e4bcb2760653817f17452e920ee8dfe150f5bf81c63bc8b3c4e5758b2e5d9d3b1713969652c7b2c1670d7e1f2cd051af5d99e2700e2935aecfccde1e52a0ebeb4cf6b96a526e7270732441ab2ebff1dcc9863271d2e9570cd56a7d16010ae3484a35fd89e8df88e9a38abd13a0007c249c68a5b5febad91a0cae09b999e6b7a018f48e44e0727a15b6acdfe72e6a975e12cbef7d7679790543', 1767603600000, 0, 0, 0, NULL, NULL);
INSERT INTO public.keys VALUES ('2157b946f5e90a34', '0d5f26f51174001a', 'seal', '\xf6d34da1812b8193f7d400597a655579ddd8ac8b0eb4d80e79166d63613c9a3188a990c20fd3b15d513d49c968000a1376d9c42aad283679f432771f');
INSERT INTO public.keys VALUES ('85efa917249f0d26', '0d5f26f51174001a', 'index', '\x80e8a69da43f79cbb8464a140989d0f51573969f51d8e9edc1e2df0a87ad0a3d37b86a4088f65fd54021bbf0967afc0c9f07734d4e875b9af3b5c240');
INSERT INTO public.keys VALUES ('e1292eb5eae2b803', '0d5f26f51174001a', 'audit', '\x32eb937245fa9179ac5fa6ca41b415f808c466f510136e9d86f8b8781b01a0064dc4914aad02636ec8472db7b599feef47c568b083398c58730ffcfa');
INSERT INTO public.keys VALUES ('4fd6c38033f32ff9', '0d5f26f51174001a', 'naming', '\xa460c87677f64a7c6382d0cd082761f3db737130bc617f7224eccff3723c1aded9ef1626ecfafd359e1c0041a04beed13a8b9fc355aaf138ec60bc5b');
INSERT INTO public.leases VALUES ('time zones', 'node-1', 1767603700000);
INSERT INTO public.operations VALUES (1, 1, 1767608554, NULL, 1772366400000, '\x25cdf587fc713e82aad09e79c48efabce23987fb37efb39680759a92a14bee60', 4, '14', '2026-01-05 10:22:34', '0', '0', '0', '0', NULL, NULL);
INSERT INTO public.person_photos VALUES (1, 1, 1772366400000, 'BIOPHOTO', '9decc55466f31bc3b5e9d709d1615fa5cc476a5ceb0b1e7ad5c8ea825a8cfd03', '7', 0, 0, '7.jpg', 9, 1028, NULL, NULL, NULL, NULL, '\x012157b946f5e90a3400000000000000403262f17888d235f11eae4326f13ca6c125a0dcdd193b8681284a553d0541b9e29ad151e3824a8921b43a1539783e7b3629136cfba204cb89dab094bf65cbff9045c98d0bbdd6544dac2269327cd554cccd60c6a8c5ef91d309c5a6a96830168a9fa23a21b3db3c95b414daaffff28c1c804d5fe20d91f34d9a89e9974e16fc2fe8265b9cedb41bfefa859505');
INSERT INTO public.person_photos VALUES (2, 1, 1772366400000, 'USERPIC', '9decc55466f31bc3b5e9d709d1615fa5cc476a5ceb0b1e7ad5c8ea825a8cfd03', '8', 0, 0, '8.jpg', 0, 1028, NULL, NULL, NULL, NULL, '\x012157b946f5e90a340000000000000040472656efc52b34d120f5bd6428cb2e0952a2c223b904cfc5d70e5a5130d4bfc6abbd39f7ae2ccdb97e01cb8ef2de956bfdfd38a7fae4c2be3993e19146a495f5530c24c480a29e100815e1adb4d8a3f6b9749623b4be17542aada3725fbda403ae585b95cc8fb092973f5384384ae7b0dd7736d51fc0707ad1d8929579906bb1f8b4127fe3c11fac5fdb5e26');
INSERT INTO public.picture_plugins VALUES ('visitors');
INSERT INTO public.pictures VALUES ('9decc55466f31bc3b5e9d709d1615fa5cc476a5ceb0b1e7ad5c8ea825a8cfd03', '\x012157b946f5e90a3400000000000003033f2966ac369e342d1d6c95613c711ed4bb790e47e3aedac4703210c91b23041a0be6c00eb1f153b1ec018a84db800999901fb40e096848fced023f8f0ff2cf6c341a8895e3efe417875047dd4587838901db81ad3172c8158b62531278e898ac58f2ee96c05b45a3fcc2e11af2582f9e28368a94184a7a88db36ee2ec5d1c719a9ce71ab0369b2d383a86fba42fa9ed5a92432f8510a7cd7ee80776d68957247bb26882b883da540ca8b71fbec3f488e380f8c9f468253692378ed6c59233ef8a67460cd92ee0afe5bb59f9be6a1c96ab28165c3c02969af0ff2258e9821d1841311f6ee7de3e5ee794cbd00cd115d46fe987d62705a9e51a832b81cc42ec1543f0db6d3d8d0b7dcb68ce25dc36be8d921c85245b5a581e5a7d5ff3ce002e264b18a26d9245db78b0ff19a46848f9d98c509af5567804d476c25226886af7bd37359d0f7dd34e20ed23121b067bcfc0156ecbce1720b07fcf20b253648960d9d590134baa8765ec0defb5a4709f91906bd2e34cda929ff4040eaab477b3ed099eefaaa9ebcd8b27bf4d7349f4ef1ebe421297cf3e308d835e82232b187848135e7caec1a23c7819461c4beea542ce1fda2186f93982289419afc510ab93d24de5f630b4bb3fbd43ebec3be0ecfbc49ef45f12e8ba98f9590d51e3713e74bd40f10f7140ef8fb7719a34b3087644ce0fa8f3dce8f7492c685895e026a715fde38956b75ede5ebfcb80ac1e808f41fed55a41ff8a751310203a1e7a4d7ed66296a66fe579bf9a205415834b27258fc5c3a49a2be1abf29a5e3d0abd5df569dee752defb599be29bdca614794205305d9334f64a0bc5f771ff843cff77e18748072ef8894424f8af167de26d44145c2dea4cf52401d97084f7347a26cae5b8b8495f974271ed0b956e7866cb206769c3db500b7ab970fe5eb407328785e5c7ec3a99caee866e8057f4076b24f2d76ed0d2663346ef0c99ca7ec1c54cb3ebdb7ca7b0d044a72ce0e4a2fb41721e191feda42410276ce9ac72d6dc3e1e2282e3c78de28274d32a6a0caf5afd8c2648f7ebbe728f1ef4dc6d7abace64231f0b0943a669005e2af30ab2089fcfaf69eae4501f609705dc6909895f370d6e23b0e75c3bb7d1eb6d7343e926af60fb0e33150ac59620be6414e81c5983205fc6285e22c7064d7d9f489ea380fa38ff3b4eb41bf', 1772366400000);
INSERT INTO public.pictures VALUES ('72fcc5d1de3aafe6afe78702aa53e12131ae5351fa104eee4670bece925b5555', '\x012157b946f5e90a340000000000000006ece3ebf2f3c1933958f19cdd018012e18eb808ae6fca210cff56cba01673d141d475cf456917b5a4a2d0571244ec3311fbcdadfbaba0d036f314559eb631168cc63ead291753c0c498e274835f5960ab223d', 1772366400000);
INSERT INTO public.pictures VALUES ('22f78e95f42f707d7d414426a8fcd6df3dde2bf7994307dd83f350d11211890a', '\x012157b946f5e90a340000000000000015624e0df918690fa98460e797eddd8ac961a59932e035ddec8a449c349b02562a5a4606351cda87386e626b3dcc6d85a57ca9dce51ea409b7eb2a7e560b0ba23a7a62ba22c38a2d8cbe04cc4de447ad01b3f4f68af34f49fdfdae5be82e6e3936b1', 1772366400000);
INSERT INTO public.pictures VALUES ('a3dbabcb18d611494653cdc7acdfa94b332c5e02842cb129b67e4006fa55d90b', '\x012157b946f5e90a34000000000000040387382acb7f8fc98765096f94b8511b0250d6d5a41c97450a25b99d98b85475bd2aced64f4d0369cff01d19f9a4834efa1f08c34c785292e12f81500870d88c718148dfd9ae0fedcdec859e254c4d5356bed86476be9ef25c4eb6e5361d6fd64686fc9abac93bf6857c8b75ffa1b5734052120fb9f5bf665fa26c4ae99bb63f813ff59884b5d25f8c76adb7d3ffc76aa93bf05bcd5fc238f016f3369dda5aa7925a4de7d536367595727e916f6c26910457728c9b7737e1e2f42da4218d16c1db1afb0234b965e1dd25df1d833934c4431551d95353df41da62d6e6b3819dbe8ebd7528a89c57d147629683e8d33e23ce26a57e3d3f23d6d945c7252db5068867a19d497d638f12fb6393ba8bed78e3547a4c0c3b6644a7c7a0b960874a1bdc68a785bb404d313742caa4ad80e691afc27a1bdf33c7d58b2155265da65785e8e59ac9240e162143c1afdea40979ffacc6a6464cb77fe86e7045fde577867facb9bf449f1ab547ff8a4d16f499fbf0a668065f2ecf7cf78eac7f0af62686752be60f5afea52355f1cfe966003ff4e0048e271de76e20ccb6979a3f568b6e7d97d1e0c5da1f0feb5ac1ed814777acdbae1aa0910f7f20829d8024fd8c8838898a1591fbc135f4e6f3ecdbc101dd942e4d31a3ba7969d07672af4d94572794036472ec8bb4b12ad7da620f2ce8e83fcf751054d9bc553f0cdbb250c22138ed7effd0ff545d0b8c0a5764de9458e798c169c87850ef87066d93bdd7129e6e5b070dfb3c05e6289eb338f8de981e1a5427cf2e12b862126bcb0d24c49725ffc4217a08bb6df58f6224c849ad80d9c8a06a87f56861679b9d72e55d3ef811a742e8c678e5fe17810ef34577d544b6266b0d246a0c5ec043c3cffedbfd48b5490fab666ae8e0fab534f29c5e9f9644ab8cea2bcdf59c66ad9d8d7fd067818630efe60411ea65767b93b5e4c2a8a1546284cb8f4815beca9d00562514a27777c9bd640aec6a076ce8bbee0a9a534b8971da6a09cf065679f7177d0645f6529d793167e92920a3c587c5c9a01b89f41894ae4b5e6febc4fa7ef4822d932cb733b054cee3dd235e3a3d8dc6d883f0d03269260df2715be5463bf6a1e1ed0e017b79a6b7913187ca6d4c4cf409ad8bc080d843aa894f9bd70f5882f941dd0cc953e3e5adaf147ee0a6830a58bcb982608cede25f0e90c40d6bc870aac14b7ff4e8193ae1309b07f1a69e4b539eb248506103874cc7bb439f5ffa96358f26e28aaf5d4f22e88a7b6ec4197c5112d1eb7b9958d09752797f4fd8ee79d583309ea06346cce64e4b5e667452345c935217dc8bbd5c45df27aaab67b9339cf48badcd58499736db88999e628c32e3cffbc9ce7dd3bb6fcf5c2d6c61aec81e3690a6e22a3439385bba199b1c14e61f1056b011207272fe4c51bf7bb44a077c2ee98b18998a3163aea4a01d69ba6add9736b1c1704ef83a191cab73613bee0fa92a0f9fbd90161a08b06c5fc2b89f2488aaf97d69af514d09d280d3f61ce0edb2c5c0c24e86594f70dad9cf2a88a6dbe6208e0ca22e237ea2', 1772366400000);
INSERT INTO public.rejects VALUES (1, 1, 'ATTLOG', '\x012157b946f5e90a3400000000000000091cd7283dc971226ff684f4c06a06f9fa02d4e198ced5f2c46f269f8dd543e7ea72a3d0a9f432ce45b0798de5d267d9f3b248bb8c55c2b51b18f5201174ad61e81ec21a60ade01474aa092feaa357f40046359169be', '\x4201080b160aff4f555240473f4f8507c66aa6bd678906b6a2ad0522062aea14', 1772366400000, '\x012157b946f5e90a34000000000000003d8025aa7405af736f9eda7a9fb9e7f8c69467f0d51e927e11052d7df4dd5c05b8ff64716d9facfe15508ee235cd822db70bc375b1a2bf51c2c889588e142e42bf52dca22da93b9b76f10e9292cbf03b02d53be9fa0d486270fe3d9904915c3be0d5491891d8603965293c99cb28c348c1c822ef59e0530a01f753c344947945b0d5edcf74a6500258ce');
INSERT INTO public.rejects VALUES (2, 1, 'OPERLOG', '\x012157b946f5e90a34000000000000000e55a68684eecdeb38a523ddacfcab39f00dbc629a48d74e21f98ae00e75b65592ddcf00029b4785d267b2b3719bb08235d9a2ee4a36985da703e834b0938c25c608eb1c311060ab4c110a52331b841df1d03b20f6f509a53fdb21', '\x222171227e48d417ad7663a681b3f01d4f861d650a75b7d0c196f38c027e1910', 1772366400000, '\x012157b946f5e90a340000000000000020192ef484645dccce40594d22f5a750b5fd5eff12e9e60877e2ac0b6fdc85c854b2a645679048d8b41c933a4c84e983338f6a07866b5d7ad6299012d00f8fd444cb22596a01cd35351ca61699306b7ab6f077f327d9237ae89bdc28a2c6e0f474c33d2a79723edb7468bb8886');
INSERT INTO public.removed_devices VALUES ('GONE000003', 775);
INSERT INTO public.sessions VALUES (4, NULL, 2, 'x25519-aes256gcm', '\x012157b946f5e90a34000000000000004e125001358a0cb86448dc01632ba53c8dcabe96fc5f746258cb777a804645a1952e682d55627cb1545a18648a55526abc0d7731a3e232f082dcec2038b182a3fbfa6702c9844c3fbbd74c9d08f90d0513e91db3cde6616480a87458ee99f2db96f4c2dcdeec43882cc7eda6398e6ff72b23ca8c7f3667a1b43cf90cd7b62181a67562b0fc14baedb1651f758f68e99811097b6642f47d8cbb2a29', 1, NULL, NULL, NULL, NULL);
INSERT INTO public.stamps VALUES (1, 'ATTLOG', '1');
INSERT INTO public.stamps VALUES (2, 'ATTLOG', '1');
INSERT INTO public.stamps VALUES (1, 'OPERLOG', '1');
INSERT INTO public.stamps VALUES (1, 'ERRORLOG', '1');
INSERT INTO public.stamps VALUES (1, 'IDCARD', '1');
INSERT INTO public.stamps VALUES (1, 'ATTPHOTO', '1');
INSERT INTO public.stamps VALUES (4, 'ATTLOG', '1');
INSERT INTO public.templates VALUES (1, 1, 1772366400000, 'FP', '7', 1, 0, 1, 0, 1, 0, 0, NULL, '\x012157b946f5e90a34000000000000010c53f9427d4b70445c8dfa262b6ddf7b51e61246a02f1e5cf1eac3d3ac05cd74a554fdfd8a8caf405f61de71a39eb985eb7d643f90fe85cfa7c78f8554a6403dc8cc008bb6a201b5583ef986e9a08ae00547e38f6b7546205a02a27d777dc7c7be3a8184af3d55505c844056431e71cc3e793bd40b6f736e80e9bd8c13d666102b2515e1274da2697e4f1924383dabd7c5071d4e83aae983505173d710450a7cf5798bc2b57bb26e14f8cfc1c6e73852f7140bfd5719755ff1377045e6956193e018804029b5ed1409f1ebce9a6b7e34435f7284a24d67ed72d6a754926ad18104b701990c56c8fad123db6fcbdcb4d9a0ccbe8660a6fb756a445f78de2d364a4ef04ab3ff7ad0d83e1c384cea53cfdc6e173cefc54e5cd54ffffea494f9a9259524e0de18be68c1c4df365e2261ff4cb525878fbc7622f4893d2a33fd137ed343953745a521e84b03ac0ea5ed876cfc56048bee311f87be79', NULL, '\xc540d28c96dbb27fd260312053a80f0b739312f550e8c9d38c1710c7d09e600e', NULL);
INSERT INTO public.tokens VALUES (1, 'hr', '\x88a9c3e8dc67d0a7829e363746f4e83e3faf923422124a85ac45416d0d51a092', '["read"]', 1772366400000, 'token admin', NULL, NULL);
INSERT INTO public.users VALUES (1, 1, 1772366400000, '7', 'Ann', 14, '0012345678', 1, NULL, -1, NULL, NULL, NULL, NULL, NULL, '\x012157b946f5e90a3400000000000000047639e0818b3be22add9dd9d8f8afbed18070ff04a59062fc24745001a255f7a02886dbe7fc72d2c853470d831a60c206b0db0f19c08be9d3858777d0be54b8f59453cd0a8ed4869f63e23aa8f445e7a2', NULL);
INSERT INTO public.users VALUES (2, 1, 1772366400000, '8', 'Ben', 0, NULL, NULL, NULL, -1, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.versions VALUES ('users', '["7"]', '\xb0b8cd628b17a77327da24b003e89fd0476148f5f2801210135fc86c4ba8ebef');
INSERT INTO public.versions VALUES ('users', '["8"]', '\x2d726607cbb08b250b128eea21cf696338188a64082ac834eb427cd148b726b8');
INSERT INTO public.versions VALUES ('templates', '["7",1,1,0,0,0]', '\x36c92bef9a4dceb3982d352497f5657890ac85da7554ff946fd9d9b31fd58b98');
INSERT INTO public.versions VALUES ('person_photos', '["7",9,0,0,"BIOPHOTO"]', '\x3d4f9889c6cb1083bc31ca3fcde52dd43d3f611ec6d14ffc48e47b1a680e8708');
INSERT INTO public.versions VALUES ('person_photos', '["8",0,0,0,"USERPIC"]', '\x400e0a374207a259670bd1520a25ec448b9d6a0fa0af606a7b4c2422353fe2b4');
SELECT pg_catalog.setval('public.attendance_id_seq', 4, true);
SELECT pg_catalog.setval('public.attendance_photos_id_seq', 1, true);
SELECT pg_catalog.setval('public.audit_id_seq', 1, false);
SELECT pg_catalog.setval('public.commands_seq_seq', 3, true);
SELECT pg_catalog.setval('public.devices_id_seq', 4, true);
SELECT pg_catalog.setval('public.entries_id_seq', 1, true);
SELECT pg_catalog.setval('public.errors_id_seq', 1, true);
SELECT pg_catalog.setval('public.events_id_seq', 22, true);
SELECT pg_catalog.setval('public.files_id_seq', 2, true);
SELECT pg_catalog.setval('public.idcards_id_seq', 1, true);
SELECT pg_catalog.setval('public.inbox_id_seq', 1, true);
SELECT pg_catalog.setval('public.operations_id_seq', 1, true);
SELECT pg_catalog.setval('public.person_photos_id_seq', 2, true);
SELECT pg_catalog.setval('public.rejects_id_seq', 2, true);
SELECT pg_catalog.setval('public.templates_id_seq', 1, true);
SELECT pg_catalog.setval('public.tokens_id_seq', 1, true);
SELECT pg_catalog.setval('public.users_id_seq', 5, true);
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
ALTER TABLE ONLY public.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.comm_keys
    ADD CONSTRAINT comm_keys_pkey PRIMARY KEY (device_id, fingerprint);
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
ALTER TABLE ONLY public.identity
    ADD CONSTRAINT identity_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_mark_key UNIQUE (mark);
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (id);
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
ALTER TABLE ONLY public.picture_plugins
    ADD CONSTRAINT picture_plugins_pkey PRIMARY KEY (name);
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
CREATE UNIQUE INDEX commands_file ON public.commands USING btree (file_digest) WHERE (file_digest IS NOT NULL);
CREATE UNIQUE INDEX commands_idempotency ON public.commands USING btree (device_id, idempotency_key);
CREATE INDEX commands_of_device ON public.commands USING btree (device_id, seq);
CREATE INDEX commands_open ON public.commands USING btree (device_id, seq) WHERE (state = ANY (ARRAY['queued'::text, 'sent'::text]));
CREATE INDEX devices_revision ON public.devices USING btree (revision);
CREATE INDEX inbox_order ON public.inbox USING btree (plugin, isolated, device_id, id);
CREATE INDEX ix_attendance_photos_picture ON public.attendance_photos USING btree (picture);
CREATE INDEX ix_files_content ON public.files USING btree (content);
CREATE INDEX ix_person_photos_picture ON public.person_photos USING btree (picture);
CREATE TRIGGER audit_head_not_deleted BEFORE DELETE ON public.audit_head FOR EACH ROW EXECUTE FUNCTION public.audit_is_append_only();
CREATE TRIGGER audit_head_not_emptied BEFORE TRUNCATE ON public.audit_head FOR EACH STATEMENT EXECUTE FUNCTION public.audit_is_append_only();
CREATE TRIGGER audit_head_not_set_back BEFORE UPDATE ON public.audit_head FOR EACH ROW EXECUTE FUNCTION public.audit_head_goes_on();
CREATE TRIGGER audit_not_changed BEFORE UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION public.audit_is_append_only();
CREATE TRIGGER audit_not_deleted BEFORE DELETE ON public.audit FOR EACH ROW EXECUTE FUNCTION public.audit_keeps_rows();
CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.audit_is_append_only();
ALTER TABLE ONLY public.attendance
    ADD CONSTRAINT attendance_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.attendance_photos
    ADD CONSTRAINT attendance_photos_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
ALTER TABLE ONLY public.comm_keys
    ADD CONSTRAINT comm_keys_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id) ON DELETE CASCADE;
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
ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.devices(id);
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
