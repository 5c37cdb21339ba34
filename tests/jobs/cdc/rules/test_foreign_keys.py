"""Foreign keys that change rows, by what SHOW CREATE TABLE prints."""

from __future__ import annotations

from kafka_ferry.jobs.cdc.rules.foreign_keys import cascades_of

PRINTED = """CREATE TABLE `c` (
  `id` int(11) NOT NULL COMMENT 'x\\n  CONSTRAINT `no` FOREIGN KEY (`a`) REFERENCES `b` (`c`) ON DELETE CASCADE',
  PRIMARY KEY (`id`),
  CONSTRAINT `c_ibfk_1` FOREIGN KEY (`p`) REFERENCES `p` (`id`) ON DELETE CASCADE,
  CONSTRAINT `odd ``(name)` FOREIGN KEY (`p`,`q`) REFERENCES `o`.`p q` (`id`,`q`) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT `kept` FOREIGN KEY (`p`) REFERENCES `p` (`id`) ON DELETE NO ACTION ON UPDATE RESTRICT,
  CONSTRAINT `plain` FOREIGN KEY (`p`) REFERENCES `p` (`id`),
  CONSTRAINT `checked` CHECK (`p` > 0)
) ENGINE=InnoDB DEFAULT CHARSET=latin1"""


def test_rules_that_change_rows_are_found():
    assert cascades_of(PRINTED) == (
        "c_ibfk_1 (of p) ON DELETE CASCADE",
        "odd `(name) (of o.p q) ON DELETE SET NULL ON UPDATE CASCADE",
    )
    assert cascades_of("CREATE TABLE `c` (`id` int)") == ()
