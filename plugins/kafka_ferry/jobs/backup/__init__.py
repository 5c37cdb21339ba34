"""Backups of topics in an object store: what is kept where, and what a manifest promises. Pure."""
