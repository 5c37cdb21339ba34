"""Ask connections what they can do: ``check_connections``."""
