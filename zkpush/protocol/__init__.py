"""The Attendance PUSH protocol, without sockets: bytes to values and back.

The protocol in one page (spec 4): a terminal is an HTTP client. It begins with the initialization
exchange, in which it describes itself and receives its options (`handshake`). Then it pushes its
options (`records.decode_pairs`), uploads records as they are made (`uploads`), and polls for
commands (`commands`), which it executes and answers (`replies`). Every request carries the
terminal's serial number (`serials`) in its arguments (`requests`).

| Section | Module |
|---|---|
| 1.2 encoding | `text` |
| 2 definitions | `serials`, `requests` |
| 3.1, Appendix 10 hybrid identification | `hybrid` |
| 5 initialization | `handshake`, `exchange`, `times.zone_option` |
| 8 options | `records`, `reports`, `harmless` |
| 9 update information | `records.decode_values`, `reports` |
| 11 uploads | `uploads`, and for each type of body: |
| 11.2 to 11.16 lines of records | `lines`, `photos`; each record type in the `tables` of its noun |
| 11.14 packets | `packets` |
| 12 commands | `catalogue`, `commands`, `parameters`; each command in the `tables` of its noun |
| 13 command reply | `replies` |
| Appendices 1 to 5, 7, 9, 10: codes | `codes` |
| Appendix 6 versions | `versions` |

No module here imports Twisted, reads a clock, opens a file or uses a database.
"""
