"""Access data of areas: time periods, groups, work codes, messages and others."""
