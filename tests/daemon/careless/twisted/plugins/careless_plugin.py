"""Where twistd finds the handler that quotes what it is given."""

from careless import CarelessHandler, CarelessVerifier

handler = CarelessHandler()
verifier = CarelessVerifier()
