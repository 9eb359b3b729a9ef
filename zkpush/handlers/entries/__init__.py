"""What terminals hold beside people: work codes, short messages, lists."""
