"""Pure: MSK Connect's states, capacity, worker configurations, names, roles, and what an update would change.

Shapes and enums are those of botocore's ``kafkaconnect`` model (API 2021-09-14); limits are the developer guide's.
"""
