"""The demo: real data and hard cases on the source cluster, then one migration from one command."""
