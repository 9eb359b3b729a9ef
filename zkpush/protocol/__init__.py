"""The Attendance PUSH protocol, without sockets: bytes in, values out, and back.

The protocol in one page (spec 4): a terminal is an HTTP client. It begins with the initialization
exchange, in which it says what it is and is told what to do (`handshake`). Then it pushes its
options (`records.decode_pairs`), uploads records as they are made (`records`, `attendance`), and
polls for commands (`commands`), which it executes and answers (`replies`). Everything it sends is
named by its serial number (`serials`) in the arguments of the request (`requests`).

| Section | Module |
|---|---|
| 1.2 encoding | `text` |
| 2 definitions | `serials`, `requests` |
| 5 initialization | `handshake`, `tables.EXCHANGE`, `tables.OPTION_REPLY`, `times.zone_option` |
| 8 options | `records`, `tables.OPTIONS` |
| 9 update information | `records.decode_values`, `tables.INFO` |
| 11.2, 11.7 attendance | `attendance`, `tables.ATTLOG` |
| 12 commands | `commands`, `tables.COMMANDS` |
| 13 command reply | `replies` |
| Appendix 6 versions | `versions` |

Nothing here imports Twisted, reads a clock, opens a file or knows a database.
"""
