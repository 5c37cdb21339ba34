"""Amazon MSK Connect over boto3 (``kafkaconnect``), as the amazon provider would have it."""
