"""What is asked, and what the answers mean. Pure."""
