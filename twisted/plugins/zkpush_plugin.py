"""`twistd zkpush`."""

from twisted.application.service import ServiceMaker

daemon = ServiceMaker(
    "zkpush", "zkpush.tap", "The server that attendance terminals push to.", "zkpush"
)
