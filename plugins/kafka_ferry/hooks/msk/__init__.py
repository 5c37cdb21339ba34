"""Amazon MSK over boto3 (``kafka``), in the amazon provider's form, and what MSK Connect shares with it."""
