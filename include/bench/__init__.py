"""``make bench``: what the throughput profiles do, and a migration of many topics, measured on the embedded stack."""
