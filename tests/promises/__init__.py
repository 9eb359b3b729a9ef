"""What the product promises, each promise shown through HTTP or the command line."""
