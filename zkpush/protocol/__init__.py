"""The Attendance PUSH protocol, without sockets: bytes in, values out, and back.

The protocol in one page (spec 4): a terminal is an HTTP client. It begins with the initialization
exchange, in which it says what it is and is told what to do (`handshake`). Then it pushes its
options (`records.decode_pairs`), uploads records as they are made (`uploads`), and
polls for commands (`commands`), which it executes and answers (`replies`). Everything it sends is
named by its serial number (`serials`) in the arguments of the request (`requests`).

| Section | Module |
|---|---|
| 1.2 encoding | `text` |
| 2 definitions | `serials`, `requests` |
| 3.1, Appendix 10 hybrid identification | `hybrid` |
| 5 initialization | `handshake`, `tables.handshake`, `times.zone_option` |
| 8 options | `records`, `tables.device` |
| 9 update information | `records.decode_values`, `tables.device` |
| 11 uploads | `uploads`, and for each type of body: |
| 11.2, 11.7 attendance | `attendance`, `tables.attendance` |
| 11.3, 11.8 attendance photos | `photos`, `tables.attendance` |
| 11.4 to 11.6, 11.9 to 11.16 lines of records | `lines`, `tables.logs`, `tables.people` |
| 11.14 packets | `packets` |
| 12 commands | `catalogue`, `commands`, `tables.commands`, `tables.entries` |
| 13 command reply | `replies` |
| Appendices 1 to 5, 7, 9, 10: codes | `codes` |
| Appendix 6 versions | `versions` |

Nothing here imports Twisted, reads a clock, opens a file or knows a database.
"""
