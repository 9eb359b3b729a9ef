"""The plugin, for Twisted to find."""

from headcount import Headcount

headcount = Headcount()
