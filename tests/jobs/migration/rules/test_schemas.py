"""The check ``schemas``: an id in the records that does not mean the same at the target is named, with its place."""

from __future__ import annotations

import pytest

from kafka_ferry.core.checks import Check, Status
from kafka_ferry.jobs.migration.rules.schemas import (
    PROBED,
    Key,
    Use,
    check_schemas,
    first_of_each,
    ids_of_registry,
)
from kafka_ferry.records.schema_id_forms import Form
from kafka_ferry.records.schema_ids import OTHERS, SchemaIdUse

SOURCE = {7: "order", 8: "line"}
GUID, OTHER = "8fe1a0ad-12f4-4dd5-b1ec-9c3f5aa4c0de", "00000000-0000-0000-b1ec-9c3f5aa4c0de"
HEADERS = (Form.GUID, Form.HEADER_ID, Form.CONTENT_ID, Form.GLOBAL_ID)


def keyed(known: dict[int, str | None]) -> dict[Key, str | None]:
    return {(Form.ID, number): says for number, says in known.items()}


def checked(uses: list[Use], source: dict[int, str], target: dict[int, str | None]) -> Check:
    return check_schemas(uses, keyed({**source}), keyed(target))


def value(number: int, records: int = 10, partition: int = 0, offset: int = 0) -> SchemaIdUse:
    return SchemaIdUse("value", number, records, partition, offset)


def test_all_that_mean_the_same_pass() -> None:
    check = checked([("orders", value(7)), ("lines", value(8, 1))], SOURCE, {**SOURCE, 9: "more"})

    assert (check.status, check.differences) == (Status.PASS, [])
    assert check.expected.startswith("2 ids in 11 keys and values of 2 topics")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({7: "order"}, "the target registry does not know it"),
        ({7: "order", 8: "order"}, "it is another schema at the target"),
        ({7: "order", 8: None}, "the target registry does not know it"),
    ],
)
def test_what_means_something_else_is_named(target: dict[int, str | None], told: str) -> None:
    check = checked([("orders", value(7)), ("orders", value(8, 3, 2, 41))], SOURCE, target)

    assert check.status is Status.FAIL
    assert check.differences == [f"orders: values with id 8: {told}: 3 records, first: partition 2, offset 41"]


def test_an_id_that_nobody_knows_is_named_beside_ones_that_are_known() -> None:
    uses = [("orders", value(7)), ("orders", value(99, 1, 1, 5)), ("orders", value(0, 2, 0, 6))]
    check = checked(uses, SOURCE, {**SOURCE})

    assert check.status is Status.FAIL
    assert check.differences == [
        "orders: values with id 99: neither registry knows it: 1 record, first: partition 1, offset 5",
        "orders: values with id 0: neither registry knows it: 2 records, first: partition 0, offset 6",
    ]


def test_an_id_that_only_the_target_knows_is_no_proof() -> None:
    check = checked([("orders", value(7)), ("orders", value(9))], SOURCE, {**SOURCE, 9: "x"})

    assert "the source registry does not know it, the target's does" in check.differences[0]


def test_numbers_that_look_like_ids_are_named_and_no_difference() -> None:
    keys = [("orders", SchemaIdUse("key", number, 4, 0, number)) for number in (0, 400)]
    check = checked([*keys, ("orders", value(7))], SOURCE, {**SOURCE})

    assert check.status is Status.EXPLAINED
    assert check.differences == [
        "orders: 8 keys begin as id 0 would, and the source registry knows none of them: taken for other data; first: "
        "partition 0, offset 0"
    ]


def test_more_ids_than_are_told_apart_are_not_passed_over() -> None:
    check = checked([("orders", value(7)), ("orders", value(OTHERS, 5, 3, 2))], SOURCE, {**SOURCE})

    assert check.status is Status.EXPLAINED
    assert check.differences == [
        "orders: values: more ids than can be told apart, in 5 records, first: partition 3, offset 2"
    ]


def test_no_ids_at_all_is_said() -> None:
    check = checked([], {}, {})
    assert (check.status, check.actual) == (Status.PASS, "none does")


def test_many_differences_are_cut() -> None:
    uses = [("orders", value(7)), *(("orders", value(number)) for number in range(100, 200))]
    check = checked(uses, SOURCE, {**SOURCE})

    assert check.actual == "100 differences"
    assert (len(check.differences), check.differences[-1]) == (51, "and 50 more")


def test_only_some_ids_are_asked_to_know_whether_they_are_ids() -> None:
    """A million different numbers are no reason for a million requests."""
    numbers = [("times", value(number)) for number in range(1000, 2000)]
    uses = [("orders", value(7)), ("orders", value(8)), *numbers]

    first = first_of_each(uses)
    assert len(first) == PROBED + 2
    assert ids_of_registry(uses, {one: keyed({**SOURCE}).get(one) for one in first}) == [(Form.ID, 7), (Form.ID, 8)]


# --- in headers, and of other registries ------------------------------------------------------------------------------


def use(form: Form, number: int | str, records: int = 3, partition: int = 1, offset: int = 4) -> Use:
    return "orders", SchemaIdUse("value", number, records, partition, offset, form)


@pytest.mark.parametrize(
    ("form", "number", "told"),
    [
        (Form.GUID, GUID, f"GUID {GUID} in a header"),
        (Form.HEADER_ID, 7, "id 7 in a header"),
        (Form.CONTENT_ID, 7, "Apicurio's content id 7"),
        (Form.GLOBAL_ID, 7, "Apicurio's global id 7"),
    ],
)
def test_an_id_in_a_header_is_one_whoever_knows_it(form: Form, number: int | str, told: str) -> None:
    """What begins with a zero byte may be a number; a header of that name is none."""
    uses = [use(form, number)]
    key = (form, number)

    assert ids_of_registry(uses, {}) == [key]
    assert check_schemas(uses, {key: "order"}, {key: "order"}).status is Status.PASS
    for source, target, why in (
        ({key: "order"}, {key: "line"}, "it is another schema at the target"),
        ({key: "order"}, {}, "the target registry does not know it"),
        ({}, {key: "order"}, "the source registry does not know it, the target's does"),
        ({key: None}, {key: None}, "neither registry knows it"),
    ):
        found = check_schemas(uses, source, target)  # type: ignore[arg-type]
        assert found.status is Status.FAIL
        assert found.differences == [
            f"orders: values with {told}: {why}: 3 records, first: partition 1, offset 4"
        ]  # fmt: skip


def test_the_same_number_is_another_id_in_another_form() -> None:
    uses = [("orders", value(7)), use(Form.GLOBAL_ID, 7), use(Form.HEADER_ID, 7)]
    source = {(Form.ID, 7): "order", (Form.GLOBAL_ID, 7): "line", (Form.HEADER_ID, 7): "order"}
    check = check_schemas(uses, source, {**source, (Form.GLOBAL_ID, 7): "order"})

    assert check.expected.startswith("3 ids in 16 keys and values of 1 topic")
    assert [line.partition(":")[2][:37] for line in check.differences] == [" values with Apicurio's global id 7: "]


@pytest.mark.parametrize("form", HEADERS)
def test_what_a_registry_has_no_such_ids_for_is_skipped_with_the_reason(form: Form) -> None:
    number = GUID if form is Form.GUID else 7
    check = check_schemas([use(form, number), use(form, OTHERS, 3, 2, 0)], {}, {}, {form: "it has none"})

    assert (check.status, check.detail) == (Status.SKIPPED, "it has none")
    (line,) = check.differences
    assert line.startswith("orders: values with ")
    assert line.endswith(" or others: 6 records, first: partition 1, offset 4: skipped: it has none")


def test_skipped_beside_what_was_looked_up_is_explained() -> None:
    key = (Form.ID, 7)
    check = check_schemas([("orders", value(7)), use(Form.GUID, GUID)], {key: "a"}, {key: "a"}, {Form.GUID: "no"})

    assert check.status is Status.EXPLAINED
    assert check.differences == [
        f"orders: values with GUID {GUID} in a header: 3 records, first: partition 1, offset 4: skipped: no"
    ]


def test_a_difference_beside_what_is_skipped_is_a_fail() -> None:
    check = check_schemas([use(Form.HEADER_ID, 9), use(Form.GUID, GUID)], {}, {}, {Form.GUID: "no"})

    assert check.status is Status.FAIL
    assert len(check.differences) == 2


def test_glues_ids_are_skipped_without_glue_and_looked_up_with_it() -> None:
    uses = [use(Form.GLUE, GUID, 9), use(Form.GLUE, OTHER, 1, 0, 2)]
    check = check_schemas(uses, {}, {}, {Form.GLUE: "these are AWS Glue's"})
    assert (check.status, check.detail) == (Status.SKIPPED, "these are AWS Glue's")
    assert check.differences == [
        f"orders: values that begin as with Glue's schema version {OTHER} or others: 10 records, first: partition 0, "
        "offset 2: skipped: these are AWS Glue's"
    ]
    known: dict[Key, str | None] = {(Form.GLUE, GUID): "order"}
    check = check_schemas(uses, known, known)
    assert check.differences == [
        f"orders: values with Glue's schema version {OTHER}: neither registry knows it: 1 record, first: partition 0, "
        "offset 2"
    ]
    check = check_schemas(uses, {}, {})  # payloads of somebody else's, which begin so by chance
    assert check.status is Status.EXPLAINED
    assert "the source registry knows none of them: taken for other data" in check.differences[0]


def test_a_header_that_nobody_can_read_is_named_and_no_difference() -> None:
    """It is so at the source, too."""
    key = (Form.HEADER_ID, 7)
    uses = [use(Form.HEADER_ID, 7), use(Form.MALFORMED, 0), use(Form.NAME, 0)]
    check = check_schemas(uses, {key: "a"}, {key: "a"})

    assert check.status is Status.EXPLAINED
    assert check.differences == [
        "orders: values with a header of a schema id that no client can read, too short or of an unknown kind: 3 "
        "records, first: partition 1, offset 4",
        "orders: values whose headers name a hash or an artifact of Apicurio's, and no id: not looked up: 3 records, "
        "first: partition 1, offset 4",
    ]
    assert first_of_each(uses) == ids_of_registry(uses, {}) == [key]


def test_more_guids_than_are_told_apart_are_not_passed_over() -> None:
    key = (Form.GUID, GUID)
    check = check_schemas([use(*key), use(Form.GUID, OTHERS, 5, 3, 2)], {key: "a"}, {key: "a"})

    assert check.differences == [
        "orders: values: more ids than can be told apart, in 5 records, first: partition 3, offset 2"
    ]
