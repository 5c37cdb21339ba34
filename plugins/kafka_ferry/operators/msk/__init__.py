"""Operators on Amazon MSK, in the amazon provider's conventions."""

from kafka_ferry.operators.msk.replicator import MskCreateReplicatorOperator, MskDeleteReplicatorOperator

__all__ = ["MskCreateReplicatorOperator", "MskDeleteReplicatorOperator"]
