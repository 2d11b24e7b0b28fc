"""Compare the ledger of the emulated vendors, which is the truth, with the journal of the demo of crashes."""

from __future__ import annotations

from collections.abc import Sequence

from mensasdk.cli.work.unknown import vendor_of
from mensasdk.journal import Record, State
from mensasdk.sandbox import Ledger

__all__ = ["compare"]


def compare(
    ledger: Ledger,
    records: Sequence[Record],
    unknown_before: Sequence[Record],
    *,
    people: int,
    killed: tuple[int, int],
    reports: int,
) -> list[tuple[str, str, str]]:
    """Compare the ledger with the journal at the end.

    Args:
        ledger: the ledger of all vendors.
        records: all messages of the campaign.
        unknown_before: the messages that were UNKNOWN before the vendors were asked.
        people: count of the different numbers of the list.
        killed: how often the process was to be killed, and how often it was.
        reports: count of the delivery reports that were kept.

    Returns:
        For each comparison: its name, the value of the ledger, and the value of the journal.
    """
    reached = ledger.numbers()
    by_state: dict[State, set[str]] = {state: set() for state in State}
    for record in records:
        by_state[record.state].add(record.number[1:])
    was_unknown = {record.number[1:] for record in unknown_before}
    settled = [record for record in records if record.number[1:] in was_unknown and record.state is not State.UNKNOWN]
    wrong = [record for record in settled if (reached[record.number[1:]] > 0) is not (record.state is State.ACCEPTED)]
    unknown = by_state[State.UNKNOWN]
    forgotten = people - len({record.number for record in records})
    open_ = len(by_state[State.PENDING]) + len(by_state[State.IN_FLIGHT])
    neither = {number for number in reached if number not in by_state[State.ACCEPTED] | unknown}
    lines = [
        ("processes killed in the middle", killed[0], killed[1]),
        ("people who got it twice", sum(count > 1 for count in reached.values()), 0),
        ("people who were forgotten", forgotten, 0),
        ("people who are still to be sent to", open_, 0),
        ("got it, though recorded as rejected", len(neither), 0),
        ("got nothing, though recorded as accepted", len(by_state[State.ACCEPTED] - set(reached)), 0),
        ("were unknown, and settled wrongly", len(wrong), 0),
    ]
    for vendor in sorted({one.vendor for one in ledger.messages}):
        theirs = sum(one.vendor == vendor and one.number not in unknown for one in ledger.messages)
        ours = sum(record.state is State.ACCEPTED and vendor_of(record) == vendor for record in records)
        lines.append((f"accepted by {vendor}", theirs, ours))
    lines.append(("delivery reports", ledger.callbacks_delivered, reports))
    return [(name, f"{theirs:,}", f"{ours:,}") for name, theirs, ours in lines]
