"""Where zkpush finds the handler."""

from visitors import VisitorHandler

visitors = VisitorHandler()
