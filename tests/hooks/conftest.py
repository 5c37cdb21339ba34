from msk_fixtures import aws, hook

__all__ = ["aws", "hook"]
