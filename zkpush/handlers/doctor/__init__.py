"""The doctor: checks that say why a terminal sends nothing, or what an installation lacks."""
