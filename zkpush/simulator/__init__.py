"""Terminals in software: the other end of the wire, which shares only the protocol with the server.

They behave as real ones do: exchange first, data kept until it is acknowledged, polls at the told
interval, commands executed and answered.
"""
