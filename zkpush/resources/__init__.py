"""Terminal families with their routing tables, and the site that serves them."""
