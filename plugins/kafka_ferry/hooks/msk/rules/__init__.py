"""Amazon MSK's replicators and topics: what is desired, what exists, and what an update would change. Pure."""
