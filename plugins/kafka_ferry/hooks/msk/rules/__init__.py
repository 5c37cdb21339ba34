"""Amazon MSK's replicators and topics: what is wished, what is there, and what an update would change. Pure."""
