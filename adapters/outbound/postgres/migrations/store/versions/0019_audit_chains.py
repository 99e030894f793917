"""The audit log in chains of hashes, and the account's half of it sealed.

What was audited before keeps its public half; the account's half was not sealed and cannot be by a migration, so it
goes, and with it who these entries were about.
"""

from alembic import op

revision = "0019_audit_chains"
down_revision = "0018_client_reference"

STATEMENTS = r"""
ALTER TYPE audit_kind ADD VALUE 'account_erasure_begun'

DROP TABLE audit_entries

CREATE TABLE audit_entries (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    at bytea NOT NULL CONSTRAINT audit_entries_at_is_sealed CHECK (at < '\x02'),
    kind bytea NOT NULL CONSTRAINT audit_entries_kind_is_sealed CHECK (kind < '\x02'),
    subject bytea NOT NULL CONSTRAINT audit_entries_subject_is_sealed CHECK (subject < '\x02'),
    salt bytea NOT NULL CONSTRAINT audit_entries_salt_is_sealed CHECK (salt < '\x02'),
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE TEMPORARY TABLE audit_log_of_before ON COMMIT DROP AS SELECT commitment, kind, day FROM audit_log

DROP TABLE audit_log

CREATE TABLE audit_recent (
    commitment bytea NOT NULL,
    kind audit_kind NOT NULL,
    day date NOT NULL,
    seal bytea NOT NULL,
    position integer,
    hash bytea,
    PRIMARY KEY (commitment)
)

CREATE INDEX audit_recent_by_position ON audit_recent (position)

CREATE TABLE audit_log (
    chain integer NOT NULL,
    position integer NOT NULL,
    day date NOT NULL,
    kind audit_kind NOT NULL,
    commitment bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (chain, position)
)

CREATE INDEX audit_log_by_commitment ON audit_log (commitment)

CREATE TABLE audit_heads (
    chain integer NOT NULL,
    length integer NOT NULL,
    hash bytea NOT NULL,
    signed_at timestamptz NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (chain, length)
)

CREATE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_only_grows()

CREATE TRIGGER audit_recent_only_grows BEFORE DELETE OR TRUNCATE ON audit_recent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_only_grows()

CREATE TRIGGER audit_recent_is_chained_once BEFORE UPDATE ON audit_recent FOR EACH ROW WHEN (
    OLD.position IS NOT NULL
    OR (OLD.commitment, OLD.kind, OLD.day, OLD.seal) <> (NEW.commitment, NEW.kind, NEW.day, NEW.seal)
) EXECUTE FUNCTION audit_log_only_grows()

CREATE TRIGGER audit_heads_only_grow BEFORE UPDATE OR DELETE ON audit_heads
    FOR EACH ROW WHEN (OLD.chain > 0) EXECUTE FUNCTION audit_log_only_grows()

CREATE FUNCTION pico_audit_link(previous bytea, chain integer, place integer, day date, kind text, commitment bytea)
    RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(
        previous || int4send(chain) || int8send(place) || int4send(day - date '2000-01-01')
        || int4send(octet_length(convert_to(kind, 'UTF8'))) || convert_to(kind, 'UTF8') || commitment
    ) $$

CREATE FUNCTION pico_chain_audit(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
        entry record;
        place integer;
        last bytea;
        added integer := 0;
    BEGIN
        PERFORM pg_advisory_xact_lock(5791045);
        SELECT r.position, r.hash INTO place, last FROM audit_recent r
            WHERE r.position IS NOT NULL ORDER BY r.position DESC LIMIT 1;
        place := coalesce(place, 0);
        last := coalesce(last, decode(repeat('00', 32), 'hex'));
        FOR entry IN SELECT r.commitment, r.kind, r.day FROM audit_recent r
            WHERE r.position IS NULL ORDER BY gen_random_uuid() LIMIT most
        LOOP
            place := place + 1;
            last := pico_audit_link(last, 0, place, entry.day, entry.kind::text, entry.commitment);
            UPDATE audit_recent SET position = place, hash = last WHERE commitment = entry.commitment;
            added := added + 1;
        END LOOP;
        RETURN added;
    END $$

CREATE FUNCTION pico_draw_audit(through date, fewest integer, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '1s' AS $$
    DECLARE
        moving audit_recent[];
        staying audit_recent[];
        entry audit_recent;
        chosen integer;
        places integer[];
        hashes bytea[];
        guarded boolean := EXISTS (
            SELECT FROM pg_trigger WHERE tgrelid = 'audit_recent'::regclass AND tgname = 'audit_recent_only_grows'
        );
    BEGIN
        PERFORM pg_advisory_xact_lock(5791045);
        IF (SELECT count(*) FROM audit_recent r WHERE r.position IS NOT NULL AND r.day <= through) < greatest(fewest, 1)
        THEN RETURN 0; END IF;
        LOCK TABLE audit_recent IN ACCESS EXCLUSIVE MODE;
        moving := ARRAY (
            SELECT r FROM audit_recent r WHERE r.position IS NOT NULL AND r.day <= through
            ORDER BY gen_random_uuid() LIMIT most
        );
        staying := ARRAY (
            SELECT r FROM audit_recent r
            WHERE NOT EXISTS (SELECT FROM unnest(moving) m WHERE m.commitment = r.commitment) ORDER BY gen_random_uuid()
        );
        IF guarded THEN ALTER TABLE audit_recent DISABLE TRIGGER audit_recent_only_grows; END IF;
        TRUNCATE audit_recent;
        IF guarded THEN ALTER TABLE audit_recent ENABLE TRIGGER audit_recent_only_grows; END IF;
        INSERT INTO audit_recent (commitment, kind, day, seal)
            SELECT s.commitment, s.kind, s.day, s.seal FROM unnest(staying) s;
        DELETE FROM audit_heads WHERE chain = 0;
        FOR chosen IN 1..8 LOOP
            places[chosen] := coalesce((SELECT max(l.position) FROM audit_log l WHERE l.chain = chosen), 0);
            hashes[chosen] := coalesce(
                (SELECT l.hash FROM audit_log l WHERE l.chain = chosen ORDER BY l.position DESC LIMIT 1),
                decode(repeat('00', 32), 'hex')
            );
        END LOOP;
        FOREACH entry IN ARRAY moving LOOP
            chosen := 1 + get_byte(uuid_send(gen_random_uuid()), 0) % 8;
            places[chosen] := places[chosen] + 1;
            hashes[chosen] := pico_audit_link(
                hashes[chosen], chosen, places[chosen], through, entry.kind::text, entry.commitment
            );
            INSERT INTO audit_log VALUES (
                chosen, places[chosen], through, entry.kind, entry.commitment, hashes[chosen]
            );
        END LOOP;
        RETURN cardinality(moving);
    END $$

REVOKE EXECUTE ON FUNCTION pico_chain_audit, pico_draw_audit FROM PUBLIC

INSERT INTO audit_recent (commitment, kind, day, seal)
    SELECT commitment, kind, day, '' FROM audit_log_of_before ON CONFLICT DO NOTHING

SELECT pico_chain_audit(2147483647)

SELECT pico_draw_audit(coalesce(max(day), 'epoch'), 1, 2147483647) FROM audit_log_of_before
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
