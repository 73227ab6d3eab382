"""The bugs: each takes away one thing that the herd or capture cannot do without."""

from __future__ import annotations

from typing import NamedTuple


class Bug(NamedTuple):
    """`old` stands once in a file of the sources; with `new` in its place some of `tests` fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


_CAPTURE = (
    Bug(
        "no sealer: the numbers of the inbox are the positions",
        "service/store/sealing/entries.py",
        "                position,\n                entry.entry,\n",
        "                entry.entry,\n                entry.entry,\n",
        ("tests/service/store/sealing/test_open_transactions.py",),
    ),
    Bug(
        "snapshot and seal in two transactions",
        "service/store/sealing/passes.py",
        "        made, result = self._worker.run(work)\n",
        "        made = self._worker.run(self._pass)\n"
        "        result = None if read is None else self._worker.run(lambda tx: read(tx, made))\n",
        ("tests/service/store/sealing/test_passes.py",),
    ),
    Bug(
        "triggers compare by collation, not by bytes",
        "schema/capture/triggers.py",
        'return f"NOT (CAST({old} AS BINARY) <=> CAST({new} AS BINARY))"',
        'return f"NOT ({old} <=> {new})"',
        ("tests/capture/test_updates.py",),
    ),
    Bug(
        "the stamp of a write is the clock's, whatever it writes over",
        "records/stamps.py",
        "    return max(now, last + 1)\n",
        "    return now\n",
        ("tests/laws", "tests/simulation/test_planted_bugs.py"),
    ),
    Bug(
        "a sibling's entry is sealed as often as it comes",
        "service/store/sealing/entries.py",
        "        if entry.at_origin is not None and place in known:\n",
        "        if False:\n",
        ("tests/service/store/sealing/test_applied.py",),
    ),
)

_MERGING = (
    Bug(
        "ties go to the holder",
        "records/merging.py",
        "theirs.version(column) > ours.version(column)",
        "theirs.version(column).stamp > ours.version(column).stamp",
        ("tests/laws/test_merging.py",),
    ),
    Bug(
        "what was born or revived travels in part",
        "service/herd/building.py",
        "    if any(entry.kind != UPDATE for entry in entries):\n        return None\n",
        "",
        ("tests/service/herd/test_building.py", "tests/laws/test_deltas.py"),
    ),
    Bug(
        "what a snapshot does not name lives on",
        "service/herd/planning/forgetting.py",
        "    if not asked or not includes(delta.covers, tables.floors()):\n",
        "    if asked or not asked:\n",
        ("tests/laws/test_forgetting.py", "tests/service/store/herd/test_snapshots.py"),
    ),
    Bug(
        "who lacks what was pruned is listened to",
        "service/herd/planning/forgetting.py",
        "    return delta.floors is None and not includes(delta.covers, floors)\n",
        "    return False\n",
        ("tests/laws/test_forgetting.py", "tests/service/store/herd/test_snapshots.py"),
    ),
)

_APPLYING = (
    Bug(
        "acknowledged before commit",
        "service/transports/siblings/database.py",
        "            vector = await self._store.apply(link, sender, apply.portion)\n",
        "            Deferred.fromCoroutine(self._store.apply(link, sender, apply.portion))\n"
        "            vector = dict(apply.portion.delta.covers)\n",
        ("tests/service/transports/test_siblings.py",),
    ),
    Bug(
        "the vector rises with the first part of a delta",
        "service/store/herd/applier.py",
        "        if delta.last:\n            if delta.floors",
        "        if True:\n            if delta.floors",
        ("tests/service/store/herd/test_arrivals.py",),
    ),
    Bug(
        "repairs have no entries in the log",
        "service/store/herd/applier.py",
        "    noting.note(tx, tables, made.rows, kept, made.noted)\n",
        "    noting.note(tx, tables, made.rows, kept, ())\n",
        ("tests/service/store/herd/test_applying_repairs.py",),
    ),
    Bug(
        "what was put aside goes into no journal",
        "service/store/herd/applier.py",
        "    journal.note(tx, known, made.journal, sender, here.now, writers)\n",
        "",
        ("tests/service/store/herd/test_applying_repairs.py",),
    ),
    Bug(
        "what came from siblings is not passed on",
        "service/store/herd/applier.py",
        "    kept: list[LogEntry] = noting.to_keep(made.kept, here)\n",
        "    kept: list[LogEntry] = []\n",
        ("tests/service/store/herd/test_applying.py", "tests/service/store/herd/test_replicas.py"),
    ),
    Bug(
        "foreign keys are not checked while applying",
        "service/store/herd/session.py",
        '            f"SET {QUIET} = 1",\n',
        '            f"SET {QUIET} = 1",\n            "SET SESSION foreign_key_checks = 0",\n',
        ("tests/service/store/herd/test_applying_refusals.py",),
    ),
    Bug(
        "who writes beside the applier is not noticed",
        "service/store/herd/tables.py",
        "        if moved:\n",
        "        if False:\n",
        ("tests/service/store/herd/test_applying_beside.py",),
    ),
    Bug(
        "who is born while its death comes is not noticed",
        "service/store/herd/applier.py",
        "                buried = tables.require_unborn(made.rows)\n",
        "                buried: set[Place] = set()\n",
        ("tests/service/store/herd/test_applying_beside.py",),
    ),
    Bug(
        "unique values are not let go of before others get them",
        "service/store/herd/carrying.py",
        "    left = release(tx, tables, writings).values()\n",
        "    left = writings.values()\n",
        ("tests/service/store/herd/test_applying_order.py",),
    ),
    Bug(
        "what is not sealed yet counts as known to the sibling",
        "service/store/herd/unseen.py",
        "FROM `herdbook_inbox` WHERE {among}",
        "FROM `herdbook_inbox` WHERE FALSE AND {among}",
        ("tests/service/store/herd/test_stored_tables.py",),
    ),
)

_READING = (
    Bug(
        "a delta does not wait for the sealer",
        "service/store/herd/reading.py",
        "        if moment.unsealed:\n",
        "        if False:\n",
        ("tests/service/store/herd/test_reading.py", "tests/service/store/herd/test_unsealed.py"),
    ),
    Bug(
        "rows and entries of a delta are of different moments",
        "service/store/herd/snapshots.py",
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        ("tests/service/store/herd/test_reading.py",),
    ),
    Bug(
        "what is held is not told of",
        "service/store/herd/states.py",
        "        state = state_to_send(ours, held)\n",
        "        state = ours\n",
        ("tests/service/store/herd/test_held_rows.py", "tests/service/store/herd/test_deltas.py"),
    ),
    Bug(
        "digests are joined with XOR",
        "service/herd/digests.py",
        "        totals[bucket] += digest\n",
        "        totals[bucket] ^= digest\n",
        ("tests/service/herd/test_digests.py",),
    ),
    Bug(
        "the server joins digests with XOR",
        "service/store/herd/digest_sql.py",
        'f"SUM(CAST(CONV(SUBSTRING(u.d,',
        'f"BIT_XOR(CAST(CONV(SUBSTRING(u.d,',
        ("tests/service/store/herd/test_verify.py",),
    ),
)

_LINKS = (
    Bug(
        "two running nodes of one origin are taken for one that was started again",
        "service/herd/flood_clones.py",
        "    before = runs.get(run)\n    if before is None:\n        return None\n    others",
        "    before = None\n    if before is None:\n        return None\n    others",
        (
            "tests/service/herd/test_flood_clones.py",
            "tests/service/transports/test_siblings_clones.py",
        ),
    ),
    Bug(
        "a node that has a copy does not tell it that it is there",
        "service/herd/flood_halting.py",
        "    if not halted.looks:\n",
        "    if True:\n",
        (
            "tests/service/herd/test_flood_clones.py",
            "tests/service/transports/test_siblings_clones.py",
        ),
    ),
)

_ATTACKS = "tests/service/transports/test_siblings_tls_attacks.py"

_IDENTITY = (
    Bug(
        "whoever shows nothing is let in",
        "service/transports/siblings/tls.py",
        "SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT",
        "SSL.VERIFY_PEER",
        (_ATTACKS,),
    ),
    Bug(
        "what OpenSSL refuses is taken",
        "service/transports/siblings/tls.py",
        "            return bool(is_good) and seen.refused is None\n",
        "            return True\n",
        (_ATTACKS,),
    ),
    Bug(
        "what the rules of identities refuse is taken",
        "service/transports/siblings/tls.py",
        "        except IdentityRefused as error:\n"
        '            seen.refused = "; ".join(one.message for one in error.troubles)\n',
        "        except IdentityRefused:\n            seen.card = mine.card\n",
        (_ATTACKS,),
    ),
    Bug(
        "older versions of TLS are spoken",
        "service/transports/siblings/tls.py",
        "SSL.TLS1_3_VERSION",
        "SSL.TLS1_2_VERSION",
        (_ATTACKS,),
    ),
    Bug(
        "strangers who stay silent keep others out",
        "service/transports/siblings/doors.py",
        "        oldest.close(CROWDED)\n",
        "        pass\n",
        (_ATTACKS,),
    ),
    Bug(
        "a handshake may take for ever",
        "service/transports/siblings/connection.py",
        "        self._handshake.start()\n",
        "",
        (_ATTACKS,),
    ),
    Bug(
        "a link outlives the certificate it was made by",
        "service/transports/siblings/doors.py",
        "security.against(card)) for one, card in cards]",
        "None) for one, card in cards]",
        ("tests/service/transports/test_siblings_tls.py",),
    ),
    Bug(
        "who lies about his name is listened to",
        "service/herd/admission.py",
        "    if name != bearer.name:\n",
        "    if False:\n",
        ("tests/service/herd/test_admission.py",),
    ),
    Bug(
        "who is retired by his record lets himself in again",
        "service/store/herd/retiring.py",
        "        siblings.retire(tx, Sibling(origin, name, {}))\n    return news\n",
        "        pass\n    return news\n",
        ("tests/service/store/herd/test_admitted.py",),
    ),
    Bug(
        "two sites are joined by way of one node",
        "service/herd/topology.py",
        "if first[0] != second[0] and first[1] != second[1]:",
        "if first != second:",
        ("tests/service/herd/test_topology.py",),
    ),
    Bug(
        "a certificate is taken from any address",
        "service/herd/admission.py",
        "not admission.peers.take(bearer.name, bearer.address)",
        "False",
        ("tests/service/herd/test_admission.py",),
    ),
    Bug(
        "a retired sibling stays linked",
        "service/herd/flood.py",
        "            if refused is not None:\n                self._forget(link.number)\n",
        "            if False:\n                self._forget(link.number)\n",
        ("tests/service/herd/test_admission.py",),
    ),
    Bug(
        "a key that others can read is used",
        "service/identity/files.py",
        "    if mode & _OTHERS:\n",
        "    if False:\n",
        ("tests/service/identity/test_files.py",),
    ),
)

_LISTENERS = (
    Bug(
        "strangers who stay silent keep applications out",
        "service/transports/places.py",
        '            return _oldest(iter(self._strangers), "full")\n',
        '            raise NoPlace("full")\n',
        ("tests/service/transports/test_places.py",),
    ),
    Bug(
        "a wide listener needs no TLS",
        "service/config/endpoints.py",
        "    if has_tls and has_tokens:\n",
        "    if has_tokens:\n",
        ("tests/service/config/test_wide_listeners.py",),
    ),
    Bug(
        "a wide listener needs no tokens",
        "service/config/endpoints.py",
        "    if has_tls and has_tokens:\n",
        "    if has_tls:\n",
        ("tests/service/config/test_wide_listeners.py",),
    ),
    Bug(
        "a bucket holds what has come together without end",
        "service/access/rates.py",
        "        return max(full_at, now) + 1 / rate.a_second\n",
        "        return full_at + 1 / rate.a_second\n",
        ("tests/service/access/test_rates.py",),
    ),
    Bug(
        "who is refused is forgotten and begins anew",
        "service/access/rates.py",
        "                self._keep(dues)\n",
        "",
        ("tests/service/access/test_rates.py",),
    ),
    Bug(
        "a body without a call is not counted",
        "service/transports/calls.py",
        "                count_no_call()\n",
        "                pass\n",
        ("tests/service/transports/test_rates.py",),
    ),
    Bug(
        "who is refused for his token may guess on",
        "service/transports/http.py",
        "        door.visitor(asked.address, asked.client).count_stranger()\n        raise\n",
        "        raise\n",
        ("tests/service/transports/test_rates.py",),
    ),
    Bug(
        "a handshake with applications may take for ever",
        "service/transports/tls_listeners.py",
        "        self._shaking.start()\n",
        "",
        ("tests/service/transports/test_tls_listeners.py",),
    ),
    Bug(
        "a folded header is taken",
        "service/transports/connections.py",
        '        if line[:1] in (b" ", b"\\t"):\n',
        "        if False:\n",
        ("tests/service/transports/test_smuggling.py",),
    ),
)

BUGS = (*_CAPTURE, *_MERGING, *_APPLYING, *_READING, *_LINKS, *_IDENTITY, *_LISTENERS)
