"""Terminals in software: the other end of the wire, which shares only the protocol with the server.

They behave as real ones do: exchange first, data kept until it is acknowledged, polls at the told
interval, commands executed and answered.

| Noun | Module |
|---|---|
| What terminals there are, and what each can do | `model`, `biometrics` |
| A terminal, what it is told, what it tells of itself | `terminal`, `orders`, `status`, `clock` |
| What it records and keeps | `record`, `outbox`, `attendance` |
| How it sends that | `upload`, `link` |
| How it executes commands | `executor`, `answer`, `parameters`, `abilities` |
| What it is asked to hold, and for what it holds | `data`, `query` |
| What it is asked to do | `control`, `enrolment`, `files` |
| What it is asked to fetch | `transfer`, `package` |
| What is done at it, and what goes wrong on purpose | `operation`, `faults` |
| Who is there, and what happens | `people`, `picture`, `happenings` |
| Many terminals at once | `fleet` |
"""
