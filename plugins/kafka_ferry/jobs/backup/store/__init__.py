"""Backups: what reads and writes clusters and object stores."""
