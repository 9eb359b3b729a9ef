"""The interfaces and values that plugins use: everything else in zkpush may change at any time.

| Module | For |
|---|---|
| `zkpush.plugin.tables` | declarations of record types; no database, no Twisted |
| `zkpush.plugin.handler` | record handlers, which store uploaded lines |
| `zkpush.plugin.capability` | capabilities: nouns with tables, stores, API and CLI words |
| `zkpush.plugin.services` | services, metrics and problems of a capability |
| `zkpush.plugin.api` | routes of a capability |
| `zkpush.plugin.pages` | pages of the console |
| `zkpush.plugin.cli` | words of the command line |
| `zkpush.plugin.policy` | admission policies, which decide about unknown terminals |
| `zkpush.plugin.verifier` | verifiers, which answer terminals that ask whether to admit a user |
| `zkpush.plugin.cipher` | cipher suites of encrypted sessions |
| `zkpush.plugin.family` | terminal families: protocols beside Attendance PUSH |
| `zkpush.plugin.forwarder` | forwarders, which deliver events to other programs |
| `zkpush.plugin.store` | stores, which open databases |

The names in `__all__` of `tables`, `handler`, `policy`, `verifier` and `cipher` stay, with their
meaning, for all versions of one minor series (0.2.x); the others are not promised yet.
docs/plugins.md states the promise and its limits. Each module is imported by itself, so that a
declaration does not load the server.
"""
