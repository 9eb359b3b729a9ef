"""Simulated terminals, which share only the protocol code with the server.

They behave like real ones: initialization exchange first, data kept until it is acknowledged, polls
at the configured interval, commands executed and answered.

| Noun | Module |
|---|---|
| Models of terminals and their abilities | `model`, `biometrics` |
| A terminal, its options and its status | `terminal`, `orders`, `status`, `clock` |
| Its records | `record`, `outbox`, `attendance` |
| Uploads of records | `upload`, `link` |
| Execution of commands | `executor`, `answer`, `parameters`, `abilities` |
| Commands that change and query its data | `data`, `query` |
| Its files, and downloads | `files`, `transfer` |
| Commands of one noun | `simulate` in `zkpush.handlers.<noun>` |
| Operations at it, and injected faults | `operation`, `faults` |
| People and events around it | `people`, `picture`, `happenings`, `happening` |
| Fleets of terminals | `fleet` |
"""
