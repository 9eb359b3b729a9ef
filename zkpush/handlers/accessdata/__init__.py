"""Access data of areas, such as time periods, groups, work codes and messages."""
