"""The console in a real browser, with the real daemon and simulated terminals.

Screenshots are left in the folder `screenshots` of the source tree.
"""
