"""Doctor: checks that show why a terminal sends nothing, or what is wrong with an installation."""
