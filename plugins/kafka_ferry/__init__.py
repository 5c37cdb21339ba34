"""Kafka Ferry: move Kafka between clusters, and prove that nothing was lost."""
