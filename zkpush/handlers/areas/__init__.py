"""Areas: groups of terminals and of the people who belong on them."""
