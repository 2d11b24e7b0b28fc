# ruff: noqa: S608, E501 - constants of ours alone; a line that is too long is long inside of a statement
"""Statements of the journal in PostgreSQL.

Each change names its owner and, where that matters, the count of openings, so that a process that was taken over
changes nothing.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CAMPAIGNS",
    "CHARGE",
    "CHARGES",
    "CHECK",
    "CLAIM",
    "CLOSE",
    "CREATE",
    "DELIVER",
    "DELIVERIES",
    "DROP_REQUESTS",
    "DROP_REST",
    "DROP_SOME",
    "FIND",
    "FORGET",
    "FREE",
    "GO_ON",
    "INSERT",
    "LAST",
    "LEFT",
    "LIVES",
    "LOADED",
    "LOCK",
    "NUMBERED",
    "NUMBERS",
    "OWNER",
    "PROGRESS",
    "PURGE",
    "PURGING",
    "RANGE",
    "READ",
    "RELEASE",
    "RENEW",
    "REPLACE",
    "REQUESTS",
    "RETIRE",
    "SETTLE",
    "SOME_REQUESTS",
    "SWEEP",
    "TAKEN",
    "TAKE_OVER",
    "TALLY",
    "UNSETTLED",
    "UPDATE",
    "WINDOW",
]

# ------------------------------------------------------------------------------------------------------- owners

# A restart of the server lengthens each lease: nobody could renew one while it was down.
LIVES: Final = "greatest(w.seen, pg_postmaster_start_time()) > clock_timestamp() - w.lease * interval '1 second'"
RENEW: Final = """
INSERT INTO mensasdk.worker (id, name, lease) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET seen = clock_timestamp(), name = excluded.name, lease = excluded.lease"""
# The background's renewal makes no row: it may arrive after the worker has retired.
GO_ON: Final = "UPDATE mensasdk.worker SET seen = clock_timestamp() WHERE id = $1"
RETIRE: Final = "DELETE FROM mensasdk.worker WHERE id = $1"

FIND: Final = "SELECT id, nonce FROM mensasdk.campaign WHERE name = $1 AND status <> 'purging'"
CREATE: Final = """
INSERT INTO mensasdk.campaign (name, nonce, what, print) VALUES ($1, $2, $3, $4) ON CONFLICT (name) WHERE status <> 'purging' DO NOTHING"""
LOCK: Final = """
SELECT id, nonce, complete, what FROM mensasdk.campaign WHERE name = $1 AND status <> 'purging' FOR UPDATE"""
# Somebody else has it if he opened it and lives, or if he lives and a request of his is under way.
_OTHERS: Final = f"""
(SELECT w.id FROM mensasdk.worker w WHERE w.id = c.owner AND w.id <> $2 AND {LIVES}
UNION ALL SELECT w.id FROM mensasdk.request_0 q JOIN mensasdk.worker w ON w.id = q.owner
    WHERE q.campaign = c.id AND q.settled IS NULL AND NOT q.swept AND w.id <> $2 AND {LIVES})"""
OWNER: Final = f"""
SELECT w.name, extract(epoch FROM
    greatest(w.seen, pg_postmaster_start_time()) + w.lease * interval '1 second' - clock_timestamp())::float8 AS left
FROM mensasdk.campaign c, mensasdk.worker w WHERE c.id = $1 AND w.id IN {_OTHERS} LIMIT 1"""
TAKE_OVER: Final = f"""
UPDATE mensasdk.campaign c SET owner = $2, epoch = epoch + 1, complete = complete AND NOT $3::boolean
WHERE id = $1 AND NOT EXISTS {_OTHERS} RETURNING epoch"""
CLOSE: Final = """
UPDATE mensasdk.campaign SET owner = NULL, complete = complete OR $4::boolean WHERE id = $1 AND owner = $2 AND epoch = $3"""
CHECK: Final = """
SELECT c.status, w.seen > clock_timestamp() - w.lease * interval '1 second' AS fresh
FROM mensasdk.campaign c LEFT JOIN mensasdk.worker w ON w.id = c.owner WHERE c.id = $1 AND c.owner = $2 AND c.epoch = $3
FOR UPDATE OF c"""
LAST: Final = "SELECT max(seq) FROM mensasdk.recipient_0 WHERE campaign = $1"

# ---------------------------------------------------------------------------------------------------- recipients

# In the order of the keys, so that two that load the same never wait for each other both ways.
INSERT: Final = """
WITH i AS (INSERT INTO mensasdk.recipient_0 (campaign, seq, key, number, message, sum)
    SELECT $1::bigint, s.* FROM unnest($2::bigint[], $3::bytea[], $4::text[], $5::text[], $6::bigint[])
        AS s (seq, key, number, message, sum) ORDER BY s.key
    ON CONFLICT (campaign, key) DO NOTHING RETURNING seq)
UPDATE mensasdk.campaign SET total = total + (SELECT count(*) FROM i) WHERE id = $1"""
# A statement of its own: that which inserts does not see what it, or another one at the same time, has inserted.
LOADED: Final = """
SELECT s.place, r.seq, r.sum FROM unnest($2::bytea[]) WITH ORDINALITY AS s (key, place)
JOIN mensasdk.recipient_0 r ON r.campaign = $1 AND r.key = s.key
WHERE (SELECT t.request FROM mensasdk.taken_0 t WHERE t.campaign = $1 AND t.seq = r.seq) IS NULL ORDER BY s.place"""
REPLACE: Final = """
UPDATE mensasdk.recipient_0 r SET number = s.number, message = s.message, sum = s.sum
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[]) AS s (seq, number, message, sum)
WHERE r.campaign = $1 AND r.seq = s.seq AND r.sum <> s.sum"""
LEFT: Final = """
SELECT EXISTS (SELECT FROM mensasdk.recipient_0 r WHERE r.campaign = $1 AND r.seq >= $2 AND r.seq < $3
    AND (SELECT t.request FROM mensasdk.taken_0 t WHERE t.campaign = $1 AND t.seq = r.seq) IS NULL)"""

# ------------------------------------------------------------------------------------------------------- requests

NUMBERED: Final = "SELECT nextval('mensasdk.request_id')"
# The subselect with IS NULL and not NOT EXISTS: the planner would turn that into a join with the whole table.
CLAIM: Final = """
WITH ok AS (SELECT c.id FROM mensasdk.campaign c, mensasdk.worker w
    WHERE c.id = $1 AND c.owner = $2 AND c.epoch = $3 AND c.status = 'running' AND w.id = $2
        AND w.seen > clock_timestamp() - w.lease * interval '1 second'),
t AS (INSERT INTO mensasdk.taken_0 (campaign, seq, request)
    SELECT r.campaign, r.seq, $4::bigint FROM mensasdk.recipient_0 r, ok
    WHERE r.campaign = $1 AND r.seq >= $5 AND r.seq < $6 AND ($7::bigint[] IS NULL OR r.seq = ANY($7))
        AND (SELECT x.request FROM mensasdk.taken_0 x WHERE x.campaign = $1 AND x.seq = r.seq) IS NULL
    ORDER BY r.seq LIMIT $8 ON CONFLICT DO NOTHING RETURNING seq),
q AS (INSERT INTO mensasdk.request_0 (campaign, id, owner, epoch, seqs, vendor, grp)
    SELECT $1::bigint, $4::bigint, $2::uuid, $3::bigint, (SELECT array_agg(seq ORDER BY seq) FROM t),
        $9::text, $10::text FROM ok WHERE EXISTS (SELECT FROM t))
SELECT r.seq, r.key, r.number, r.message, r.sum
FROM t JOIN mensasdk.recipient_0 r ON r.campaign = $1 AND r.seq = t.seq ORDER BY r.seq"""
# An empty request in the place of a claim that may still be on its way, and then fails.
RELEASE: Final = """
INSERT INTO mensasdk.request_0 (campaign, id, owner, epoch, seqs, settled)
VALUES ($1, $2, $3, $4, '{}', clock_timestamp()) ON CONFLICT DO NOTHING RETURNING id"""
_SUM: Final = """
ON CONFLICT (campaign, slot) DO UPDATE SET accepted = y.accepted + excluded.accepted,
    rejected = y.rejected + excluded.rejected, unknown = y.unknown + excluded.unknown"""
_CHARGE: Final = "INSERT INTO mensasdk.charge (campaign, request, vendor, credits)"
CHARGE: Final = (
    f"{_CHARGE} SELECT $1::bigint, $2::bigint, s.* FROM unnest($3::text[], $4::text[]) AS s ON CONFLICT DO NOTHING"
)
CHARGES: Final = "SELECT vendor, credits FROM mensasdk.charge WHERE campaign = $1"
# The usual case: the outcomes of all recipients of a request, of whom nothing was known.
SETTLE: Final = f"""
WITH q AS (UPDATE mensasdk.request_0 SET settled = clock_timestamp(), outcomes = $4, freed = $5, accepted = $6,
        rejected = $7, unknown = $8
    WHERE campaign = $1 AND id = $2 AND owner = $3 AND seqs = $9::bigint[] AND settled IS NULL AND NOT swept
        AND outcomes IS NULL RETURNING id),
f AS (DELETE FROM mensasdk.taken_0
    WHERE campaign = $1 AND seq = ANY($10::bigint[]) AND request = $2 AND EXISTS (SELECT FROM q)),
y AS (INSERT INTO mensasdk.tally AS y (campaign, slot, accepted, rejected, unknown)
    SELECT $1::bigint, ($2::bigint & 63)::integer, $6::integer, $7::integer, $8::integer FROM q {_SUM}),
c AS ({_CHARGE} SELECT $1::bigint, $2::bigint, s.* FROM q, unnest($11::text[], $12::text[]) AS s ON CONFLICT DO NOTHING)
SELECT count(*) FROM q"""
_REQUEST: Final = """
SELECT id, owner, seqs, vendor, grp, moved, claimed, swept, freed, accepted, rejected, unknown, outcomes
FROM mensasdk.request_0 WHERE campaign = $1 AND id = ANY($2::bigint[]) ORDER BY id"""
REQUESTS: Final = f"{_REQUEST} FOR UPDATE"
READ: Final = _REQUEST
UPDATE: Final = """
UPDATE mensasdk.request_0 SET outcomes = $3, moved = $4, freed = $5, accepted = $6, rejected = $7, unknown = $8,
    settled = CASE WHEN $9 THEN coalesce(settled, clock_timestamp()) ELSE settled END
WHERE campaign = $1 AND id = $2"""
FREE: Final = "DELETE FROM mensasdk.taken_0 WHERE campaign = $1 AND seq = ANY($2::bigint[]) AND request = $3"
TALLY: Final = f"""
INSERT INTO mensasdk.tally AS y (campaign, slot, accepted, rejected, unknown)
VALUES ($1, ($2::bigint & 63)::integer, $3, $4, $5) {_SUM}"""
TAKEN: Final = "SELECT DISTINCT request FROM mensasdk.taken_0 WHERE campaign = $1 AND seq = ANY($2::bigint[])"
_OPEN: Final = "cardinality(seqs) - freed - accepted - rejected - unknown"
SWEEP: Final = f"""
WITH l AS (SELECT id, {_OPEN} AS n FROM mensasdk.request_0
    WHERE campaign = $1 AND settled IS NULL AND NOT swept
        AND claimed <= clock_timestamp() - $2::float8 * interval '1 second' ORDER BY id FOR UPDATE),
s AS (UPDATE mensasdk.request_0 q SET swept = true, unknown = unknown + l.n FROM l
    WHERE q.campaign = $1 AND q.id = l.id RETURNING q.id, l.n),
y AS (INSERT INTO mensasdk.tally AS y (campaign, slot, unknown)
    SELECT $1::bigint, (id & 63)::integer, sum(n) FROM s GROUP BY 2 ORDER BY 2 {_SUM})
SELECT coalesce(sum(n), 0)::bigint FROM s"""

# -------------------------------------------------------------------------------------------------------- reading

_COUNTS: Final = f"""
SELECT c.id, c.name, c.nonce, c.what, c.created, c.complete, c.total, y.accepted, y.rejected, y.unknown, q.under_way
FROM mensasdk.campaign c,
LATERAL (SELECT coalesce(sum(accepted), 0)::bigint AS accepted, coalesce(sum(rejected), 0)::bigint AS rejected,
    coalesce(sum(unknown), 0)::bigint AS unknown FROM mensasdk.tally WHERE campaign = c.id) y,
LATERAL (SELECT coalesce(sum({_OPEN}), 0)::bigint AS under_way FROM mensasdk.request_0
    WHERE campaign = c.id AND settled IS NULL AND NOT swept) q
WHERE c.status <> 'purging'"""
PROGRESS: Final = f"{_COUNTS} AND c.name = $1"
CAMPAIGNS: Final = f"{_COUNTS} ORDER BY c.id"
# The end of a portion first, from the index alone; then a bounded range. One statement would scan the whole table.
WINDOW: Final = """
SELECT max(seq) FROM (SELECT seq FROM mensasdk.recipient_0 WHERE campaign = $1 AND seq > $2 ORDER BY seq LIMIT $3) x"""
_ROW: Final = "r.seq, r.key, r.number, r.message, r.sum, t.request"
RANGE: Final = f"""
SELECT {_ROW} FROM mensasdk.recipient_0 r
LEFT JOIN mensasdk.taken_0 t ON t.campaign = $1 AND t.seq = r.seq AND t.seq > $2 AND t.seq <= $3
WHERE r.campaign = $1 AND r.seq > $2 AND r.seq <= $3 AND (t.request IS NULL OR NOT $4::boolean) ORDER BY r.seq LIMIT $5"""
# Recipients whose requests have somebody UNKNOWN or IN_FLIGHT: few, and found by the indexes of their requests.
UNSETTLED: Final = f"""
SELECT {_ROW} FROM (
    SELECT s.seq, q.id FROM mensasdk.request_0 q, unnest(q.seqs) AS s (seq)
    WHERE q.campaign = $1 AND s.seq > $2 AND (($3::boolean AND q.unknown > 0) OR ($4::boolean AND q.settled IS NULL AND NOT q.swept))
        AND (SELECT x.request FROM mensasdk.taken_0 x WHERE x.campaign = $1 AND x.seq = s.seq) = q.id
    ORDER BY s.seq LIMIT $5) f
JOIN mensasdk.recipient_0 r ON r.campaign = $1 AND r.seq = f.seq
JOIN mensasdk.taken_0 t ON t.campaign = $1 AND t.seq = f.seq ORDER BY r.seq"""

# ----------------------------------------------------------------------------------------------- delivery reports

DELIVER: Final = """
INSERT INTO mensasdk.delivery AS d (vendor, number, message, vendor_id, reference, progress, state, code, at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::text[],
    $9::timestamptz[]) ORDER BY 1, 2, 3
ON CONFLICT (vendor, number, message) DO UPDATE SET reference = coalesce(excluded.reference, d.reference),
    progress = excluded.progress, state = excluded.state, code = excluded.code, at = excluded.at,
    change = nextval('mensasdk.delivery_change')
WHERE d.progress < excluded.progress AND d.progress < $10 RETURNING 1"""
DELIVERIES: Final = """
SELECT vendor_id, number, state, code, at, reference FROM mensasdk.delivery
WHERE vendor = $1 AND number = ANY($2::text[]) ORDER BY number COLLATE "C", message COLLATE "C\""""
FORGET: Final = """
DELETE FROM mensasdk.delivery d USING unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS s (vendor, number, vendor_id, reference)
WHERE d.vendor = s.vendor AND d.number = s.number AND (d.vendor_id = s.vendor_id OR d.reference = s.reference)"""

# ------------------------------------------------------------------------------------------------------- purging

# The name first: a campaign that is half removed must not be resumed.
PURGE: Final = f"""
UPDATE mensasdk.campaign c SET status = 'purging', owner = NULL, epoch = epoch + 1
WHERE id = $1 AND NOT EXISTS {_OTHERS} RETURNING id"""
PURGING: Final = "SELECT id, nonce FROM mensasdk.campaign WHERE status = 'purging'"
SOME_REQUESTS: Final = """
SELECT array_agg(id) FROM (SELECT id FROM mensasdk.request_0 WHERE campaign = $1 ORDER BY id LIMIT $2) x"""
NUMBERS: Final = "SELECT seq, number FROM mensasdk.recipient_0 WHERE campaign = $1 AND seq = ANY($2::bigint[])"
DROP_REQUESTS: Final = "DELETE FROM mensasdk.request_0 WHERE campaign = $1 AND id = ANY($2::bigint[])"
DROP_SOME: Final = """
WITH s AS (SELECT seq FROM mensasdk.recipient_0 WHERE campaign = $1 ORDER BY seq LIMIT $2),
t AS (DELETE FROM mensasdk.taken_0 WHERE campaign = $1 AND seq IN (SELECT seq FROM s)),
r AS (DELETE FROM mensasdk.recipient_0 WHERE campaign = $1 AND seq IN (SELECT seq FROM s) RETURNING 1)
SELECT count(*) FROM r"""
DROP_REST: Final = (
    "DELETE FROM mensasdk.taken_0 WHERE campaign = $1",
    "DELETE FROM mensasdk.charge WHERE campaign = $1",
    "DELETE FROM mensasdk.tally WHERE campaign = $1",
    "DELETE FROM mensasdk.campaign WHERE id = $1",
)
