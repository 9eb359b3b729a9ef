"""Where zkpush finds the capability."""

from zkpush.plugin.capability import Capability

visitors = Capability("visitors", "visitors", "Visitors of reception terminals")
