"""Clients of MySQL and MariaDB servers."""
