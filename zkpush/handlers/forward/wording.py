"""What became of deliveries, as declared sentences; see `zkpush.sentences`.

The kinds make these texts beside the replies that they quote, and older versions have stored them.
What a receiver or the operating system says is data, and stays as it is.
"""

from __future__ import annotations

from ...phrases import Phrase, counted_template
from ...sentences import SentenceList

DELIVERY_WORDS = SentenceList(
    (
        Phrase("Not delivered within three days: %(reason)s"),
        counted_template(
            "Refused %(num)s time, unlike other events: %(reason)s",
            "Refused %(num)s times, unlike other events: %(reason)s",
        ),
        Phrase("%(reason)s; redirects are not followed: set the URL to the new address"),
        counted_template(
            "It took longer than %(num)s second", "It took longer than %(num)s seconds"
        ),
        counted_template("No answer within %(num)s second", "No answer within %(num)s seconds"),
        Phrase("The forwarder failed: %(error)s"),
        Phrase("Not connected: %(reason)s"),
        Phrase("%(address)s is not an address"),
        Phrase("%(address)s is a link-local, metadata, multicast or reserved address"),
        Phrase("%(address)s is in a private network: set allow_private for this forwarder"),
        Phrase("DNSLookupError: the name %(host)s has no address"),
        Phrase("ConnectionRefusedError: %(detail)s"),
        Phrase("TimeoutError: %(detail)s"),
        Phrase("TCPTimedOutError: %(detail)s"),
        Phrase("NoRouteError: %(detail)s"),
        Phrase("ConnectionLost: %(detail)s"),
        Phrase("ConnectionDone: %(detail)s"),
        Phrase("VerificationError: %(detail)s"),
        Phrase("The name %(host)s has no address: %(detail)s"),
        Phrase("Not sent: %(reason)s"),
        Phrase("Not written: %(reason)s"),
        Phrase("Not sent"),
        Phrase("an earlier write has not ended yet"),
        # Files.
        Phrase("Written to %(files)s"),
        Phrase(
            "The folder can be written to. The file of this day is %(name)s. Nothing was written."
        ),
        Phrase("There is no folder %(folder)s: make it, or mount it"),
        Phrase("another forwarder is writing %(name)s"),
        Phrase("%(folder)s belongs to the data directory of the server: choose another"),
        Phrase("line %(number)s of %(file)s is damaged (%(error)s): mend it from a backup"),
        Phrase("%(name)s was not written by this server, or its journal is gone: move it away"),
        # Databases.
        Phrase("The table has these columns. Nothing was written."),
        Phrase("Written"),
        Phrase("Row refused: %(detail)s"),
        Phrase("Every row refused: %(detail)s"),
        Phrase("%(file)s is in the data directory of the server"),
        Phrase("There is no file %(file)s"),
        # Brokers.
        Phrase("The broker has the message; nobody subscribes to %(topic)s"),
        Phrase("The broker has the message"),
        counted_template(
            "The broker has %(num)s message; nobody subscribes to %(topic)s",
            "The broker has %(num)s messages; nobody subscribes to %(topic)s",
        ),
        counted_template("The broker has %(num)s message", "The broker has %(num)s messages"),
        Phrase("The broker did not acknowledge in time"),
        Phrase("The connection was lost before messages were acknowledged"),
        Phrase("The connection was lost"),
        Phrase("The broker ended the connection: %(detail)s"),
        Phrase("certificates cannot be read: %(detail)s"),
        Phrase("the broker did not answer in time"),
        Phrase("the broker ended the connection; check port, tls and protocol"),
        Phrase("the broker refused the connection: %(detail)s; set protocol=3.1.1"),
        Phrase("the broker refused the connection: %(detail)s"),
        Phrase("the broker takes messages of QoS 0 only"),
        # Mail.
        Phrase("Nothing to mail: only details of known problems have changed"),
        Phrase("The certificate of the server is not for %(host)s"),
        Phrase(
            "TLS failed: %(detail)s. Check host, port and tls, and set authority if the system "
            "does not trust the certificate."
        ),
        Phrase("TLS failed: %(detail)s"),
        Phrase("The server sent data between STARTTLS and TLS"),
        Phrase("Asked to wait: %(reason)s"),
        Phrase("Sender refused: %(detail)s"),
        Phrase("The text of the mail was not taken: %(detail)s"),
        Phrase("Sent, but not to %(detail)s"),
        Phrase("Not sent to %(detail)s"),
        Phrase("Refused: %(reason)s"),
        # ERPNext.
        Phrase("Not an answer of ERPNext: %(reply)s"),
        Phrase("The site does not accept the API key: generate a new one. %(reply)s"),
        Phrase("The user of the API key needs a role that may create Employee Checkins. %(reply)s"),
        Phrase(
            "There is no such site or method: check the URL, and that the app is installed. "
            "%(reply)s"
        ),
        Phrase(
            "Corrections need a role that may read, write and delete Employee Checkins. %(reply)s"
        ),
        Phrase("Stored as %(name)s"),
        Phrase("Parked: the site refuses the correction"),
        Phrase("Parked: no such employee"),
        Phrase("Parked: the employee is not active"),
        Phrase("Parked: the checkin is part of an attendance"),
        Phrase("ERPNext has this checkin already"),
        Phrase("ERPNext has no such checkin"),
        Phrase("%(name)s is right already"),
        Phrase("Changed %(name)s"),
        Phrase("Deleted %(name)s"),
        Phrase(
            "%(name)s is part of the attendance %(attendance)s already. It should be deleted: "
            "cancel that attendance in ERPNext, and replay this event"
        ),
        Phrase(
            "%(name)s is part of the attendance %(attendance)s already. It should get %(values)s: "
            "cancel that attendance in ERPNext, and replay this event"
        ),
        Phrase("ERPNext takes attendance records, and this is an event %(event)s."),
        Phrase("The time zone of the terminal is not known."),
        Phrase(
            "The site accepts the API key, and looks for employees by %(field)s. Nothing was "
            "stored."
        ),
    )
)
"""Outcomes of attempts, errors of forwarders, and reasons of dead letters."""
MOST_SHOWN = 500
"""Characters of a text that no template fits, such as a reply."""


def delivery_words(text: str) -> str:
    """Return what is shown of a stored text: its phrase, or the beginning of the text."""
    found = DELIVERY_WORDS.phrase(text)
    return found if isinstance(found, Phrase) else found[:MOST_SHOWN]
