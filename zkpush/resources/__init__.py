"""What terminals talk to: the resources under /iclock, and the site that serves them."""
