"""Rows of a binary log, from bytes that a MariaDB 10.11 wrote."""

from __future__ import annotations

import pytest

from kafka_ferry.jobs.cdc.rules.row_image import LogColumn, NotReadable, columns_of, count_rows, rows_of

# CREATE TABLE t (a INT UNSIGNED PRIMARY KEY, b VARCHAR(9) CHARACTER SET latin1, e ENUM('ü','b') CHARACTER SET latin1,
#   s SET('x','y'), d DECIMAL(12,3), t TIME(3), dt DATETIME(1), ts TIMESTAMP(6) NULL, da DATE, y YEAR, bi BIT(9),
#   bn BINARY(4), g POINT, f FLOAT, n BIGINT)
TABLE_MAP = bytes.fromhex(
    "fa1000000000010003646463000174000f030ffefef61312110a0d10feff0408110900f701f8010c030301060101fe040404fe7f0101a002033f"
    "00080701010423016101620165017301640174026474027473026461017902626902626e01670166016e0b02082d0505020178017906050201fc"
    "0162080100"
)
# UPDATE t SET n = -5, s = 'y,x'
UPDATE = bytes.fromhex(
    "00c0ffffffff01fc01007fed2978fc847f3747e12e99a84000000000000000000000000000000101010119000000e61000000101000000000000"
    "000000f03f0000000000000040cdcccc3d"
    "0080ffffffff01fc01037fed2978fc847f3747e12e99a84000000000000000000000000000000101010119000000e61000000101000000000000"
    "000000f03f0000000000000040cdcccc3dfbffffffffffffff"
)
ALL = b"\xff\xff"
BEFORE = {
    "a": 4294967295, "b": "ü", "e": "ü", "s": "", "d": "-1234567.891", "t": -45_296_789_000,
    "dt": "2021-00-00 00:00:00.0", "ts": "0000-00-00 00:00:00.000000", "da": "0000-00-00", "y": 0, "bi": 257,
    "bn": "AQAAAA==", "g": "4326 AQEAAAAAAAAAAADwPwAAAAAAAABA", "f": 0.10000000149011612,
}  # fmt: skip


def decode(collation: int, value: bytes) -> str:
    return value.decode("latin1" if collation == 8 else "utf-8")


def test_what_was_stored_is_what_is_read():
    columns = columns_of(TABLE_MAP, mariadb=True)

    ((before, after),) = rows_of(UPDATE, columns, [ALL, ALL], decode)
    assert before == BEFORE, "also an empty set, the year 0 and dates that are on no calendar; a null is left out"
    assert after == {**BEFORE, "s": "x,y", "n": -5}
    assert count_rows(UPDATE, columns, [ALL]) == 2
    assert count_rows(UPDATE, columns, [ALL, ALL]) == 1


@pytest.mark.parametrize(
    ("column", "stored", "value"),
    [
        ((8, "", True), "ffffffffffffffff", 2**64 - 1),
        ((8, "", False), "0000000000000080", -(2**63)),
        ((9, "", True), "ffffff", 2**24 - 1),
        ((9, "", False), "000080", -(2**23)),
        ((246, "1e1e", False), "7ffffffffffffffffffffffffffe", "-0.000000000000000000000000000001"),
        ((246, "0500", False), "80002a", "42"),
        ((19, "00"), "800000", 0),
        ((19, "00"), "7ffffe", -2_000_000),
        ((19, "01"), "7ffffff6", -100_000),
        ((19, "06"), "7fffffffffff", -1),
        ((19, "06"), "b46efb0f423f", 3_020_399_999_999),
        ((18, "00"), "8003820000", -62_135_596_800_000_000),
        ((17, "00"), "7fffffff", 2_147_483_647_000_000),
        ((17, "00"), "00000000", "0000-00-00 00:00:00"),
        ((10, ""), "210200", -719_162),
        ((10, ""), "a04e00", "0039-05-00"),
        ((11, ""), "2efbff", -754_000_000),
        ((12, ""), "41ab85c9ea110000", 1_000_000),
        ((13, ""), "ff", 2155),
        ((16, "0008"), "8000000000000001", 2**63 + 1),
        ((5, "08"), "0000000000000080", -0.0),
    ],
)
def test_values_at_their_ends(column, stored, value):
    kind, meta, *unsigned = column
    one = LogColumn(kind, bytes.fromhex(meta), "a", bool(unsigned and unsigned[0]))
    ((row,),) = rows_of(b"\0" + bytes.fromhex(stored), [one], [b"\1"], decode)
    assert row == {"a": value}


def test_what_was_written_with_less_is_named():
    columns = columns_of(TABLE_MAP, mariadb=True)
    with pytest.raises(NotReadable, match="binlog_row_image=FULL"):
        list(rows_of(UPDATE, columns, [b"\x01\x00"], decode))
    columns[3].name = ""
    with pytest.raises(NotReadable, match="binlog_row_metadata=FULL"):
        list(rows_of(UPDATE, columns, [ALL], decode))
    with pytest.raises(NotReadable, match="ends within a row"):
        count_rows(UPDATE[:-1], columns, [ALL, ALL])
    with pytest.raises(NotReadable, match="kind 140"):
        columns_of(TABLE_MAP.replace(b"\x03\x0f\xfe\xfe", b"\x03\x8c\xfe\xfe"), mariadb=True)
