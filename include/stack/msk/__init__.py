"""A DOUBLE of MSK Connect: a server that speaks its API, with real Kafka Connect workers behind it. Not AWS.

Requests and answers are parsed, checked and written by botocore's own service models, so shapes cannot drift. Behaviour
(state machines, quotas, which error comes when) is our reading of the documentation; docs/msk_connect.md says what a
green test on it proves and what only AWS can.
"""

REGION, ACCOUNT = "eu-west-1", "123456789012"
#: The one cluster that ``kafka`` knows; behind it is the stack's target.
CLUSTER = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/ferry/00000000-0000-0000-0000-000000000000-1"
