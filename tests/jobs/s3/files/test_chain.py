"""Files of a partition one after the other: gaps, and records that are in two of them."""

from __future__ import annotations

import numpy as np

from kafka_ferry.jobs.s3.files.rules import chain as chains
from kafka_ferry.jobs.s3.files.rules.chain import Chain, Place


def add(chain: Chain, first: int, *records: int) -> Place:
    """A file that begins at an offset; records are what stands for them."""
    return chain.add(np.arange(first, first + len(records)), np.array(records, np.uint64))


def test_files_that_follow_on_each_other_leave_nothing_to_say() -> None:
    chain = Chain()
    assert [add(chain, 100, 1, 2, 3), add(chain, 103, 4), add(chain, 104, 5, 6)] == [Place()] * 3
    assert (chain.end, chain.missing, chain.gaps, chain.repeated) == (106, 0, [], 0)


def test_offsets_between_files_are_named() -> None:
    chain = Chain()
    add(chain, 7, 1, 2)
    add(chain, 12, 3)
    add(chain, 14, 4)
    assert (chain.missing, chain.gaps) == (4, [(9, 12), (13, 14)])


def test_offsets_in_a_file_are_named_where_its_records_tell_them() -> None:
    chain = Chain()
    chain.add(np.array([5, 6, 9, 10, 20]), np.arange(5, dtype=np.uint64))
    assert (chain.end, chain.missing, chain.gaps) == (21, 11, [(7, 9), (11, 20)])


def test_many_gaps_are_counted_and_the_first_are_named() -> None:
    chain = Chain()
    for number in range(50):
        add(chain, number * 2, number)
    assert (chain.missing, len(chain.gaps)) == (49, chains.NAMED)


def test_a_file_that_was_written_again_goes_on_where_the_ones_before_it_end() -> None:
    chain = Chain()
    add(chain, 0, 1, 2, 3)
    add(chain, 3, 4, 5)
    assert add(chain, 2, 3, 4, 5, 6, 7) == Place(repeated=3)
    assert add(chain, 4, 5, 6) == Place(repeated=2), "nothing of it is new"
    assert add(chain, 7, 8) == Place()
    assert (chain.end, chain.missing, chain.repeated) == (8, 0, 5)


def test_the_same_is_seen_where_holes_in_a_file_made_its_offsets_too_small() -> None:
    """Offsets 0, 1, 3, 4 are counted as 0 to 3; the sink began again at offset 3."""
    chain = Chain()
    add(chain, 0, 1, 2, 4, 5)
    assert add(chain, 3, 4, 5, 6) == Place(repeated=2)
    assert (chain.end, chain.missing) == (6, 1), "the hole is told now"


def test_equal_records_are_not_taken_for_one_that_was_written_twice() -> None:
    chain = Chain()
    add(chain, 0, 9, 9, 9, 9)
    assert add(chain, 4, 9, 9) == Place(), "they follow on those before"
    assert add(chain, 5, 9, 9, 9) == Place(repeated=1)
    assert chain.end == 8


def test_a_file_among_others_with_other_records_is_moved_behind_them() -> None:
    chain = Chain()
    add(chain, 0, 1, 2, 3)
    assert add(chain, 2, 7, 8) == Place(moved=1)
    assert (chain.end, chain.missing, chain.repeated) == (5, 0, 0)


def test_what_lies_too_far_back_to_be_known_is_not_taken_for_the_same(monkeypatch) -> None:
    monkeypatch.setattr(chains, "KEPT", 2)
    chain = Chain()
    add(chain, 0, 1, 2, 3, 4)
    assert add(chain, 0, 1, 2, 3, 4, 5).moved == 4
