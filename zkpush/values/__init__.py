"""The values of nouns, one module a noun: what stores return and what services pass on."""
