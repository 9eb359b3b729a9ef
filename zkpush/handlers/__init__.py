"""Built-in nouns; each is a capability, discovered like those of other packages."""
