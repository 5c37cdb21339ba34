"""A DOUBLE of MSK Connect: a server that speaks its API, with real Kafka Connect workers behind it. Not AWS.

Requests and answers are parsed, checked and written by botocore's own service models, so shapes cannot drift. Behaviour
(state machines, quotas, which error comes when) is our reading of the documentation; docs/msk_connect.md says what a
green test on it proves and what only AWS can.
"""
