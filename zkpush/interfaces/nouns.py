"""What a unit of work can do, one noun an interface; and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from zope.interface import Interface

from ..model import (
    AuditRecord,
    CommandState,
    Device,
    DeviceState,
    Entry,
    Event,
    InboxItem,
    InboxState,
    Keys,
    NewCommand,
    NewToken,
    OfferedKey,
    Page,
    Problem,
    QueuedCommand,
    Record,
    Said,
    SealedItems,
    SealedRejects,
    StoredFile,
    StoredReject,
    StoredToken,
)
from ..protocol.handshake import Hello
from ..protocol.photos import Photo
from ..protocol.records import Batch, Row
from ..protocol.rejects import Reject
from ..protocol.times import WallClock

T = TypeVar("T")


class StoreError(Exception):
    """The database does not do what was asked; nothing of it is stored."""


class WrongKey(StoreError):
    """The database belongs to another site key than the one that is here."""


class NotUnsealed(StoreError):
    """A sealed value is not what was sealed, where it was sealed, under a key of this database."""


class IVault(Interface):
    """What seals secrets at rest (`zkpush.persist.vault`)."""

    def seal(plain: bytes, about: bytes) -> bytes:
        """Seal a value so that it opens only where it is about the same.

        `about` says which value of which row it is, and is not in what is sealed. What comes out
        goes into a column of bytes: there it is found, and kept readable, when keys are rotated.
        """

    def open(sealed: bytes, about: bytes) -> bytes:
        """Open a value; `NotUnsealed` unless it is whole, ours, and about the same."""

    def index(plain: bytes) -> bytes:
        """What tells whether two values are the same, and nobody without the key can guess from.

        32 bytes; the same after the keys are rotated.
        """


class IDevices(Interface):
    """Terminals, in a unit of work."""

    def get(device_id: int) -> Device:
        """Find a terminal by its key; `LookupError` if there is none."""

    def find(sn: str) -> Device | None:
        """Find a terminal by its serial number."""

    def find_all(serials: Collection[str]) -> list[Device]:
        """Find the terminals that have one of these serial numbers, in no order."""

    def page(part: Page) -> list[Device]:
        """List terminals in the order they were first seen."""

    def with_problems(part: Page, sn: str | None = None) -> list[Device]:
        """List the terminals that have problems, or this one if it has, as `page` does.

        `part.after` is exclusive.
        """

    def changed_since(cursor: int) -> tuple[list[Device], int]:
        """The terminals that were changed since a cursor, and the next cursor; begin with 0.

        Every change but that of last-seen counts. Each is there at least once, also if its
        transaction took long; some are there again.
        """

    def removed_since(cursor: int) -> list[str]:
        """The serial numbers of terminals that were removed since a cursor of `changed_since`.

        To be asked in the same query as that.
        """

    def add(sn: str, state: DeviceState, timezone: str, now: int) -> Device:
        """Record a terminal that was not known; one that meanwhile is, stays as it is."""

    def change(device_id: int, values: Mapping[str, object]) -> Device:
        """Set attributes of a terminal, named as in `model.Device`."""

    def exchanged(device_id: int, hello: Hello, values: Mapping[str, object]) -> Device:
        """Keep what a terminal said in the exchange (5), and `values` beside it."""

    def merge_options(device_id: int, options: Mapping[str, str]) -> Mapping[str, str]:
        """Add what a terminal pushed (8) to what it pushed before.

        Returns what does not fit, see `protocol.options`; nothing is written if nothing is new.
        """

    def merge_info(device_id: int, info: Mapping[str, object]) -> None:
        """Keep the update information (9) of a terminal: firmware, and counts."""

    def seen(times: Mapping[int, tuple[int, str | None]]) -> None:
        """Write when (ms), and from which address, terminals were last seen."""

    def elsewhere(
        times: Mapping[int, tuple[int, str | None]],
    ) -> list[tuple[int, int, str | None]]:
        """Which of these terminals were last seen from another address: id, when (ms), and where.

        To be asked before `seen`, with the same.
        """

    def raise_problem(device_id: int, problem: Problem) -> None:
        """Put a problem on a terminal; one with the same code is replaced."""

    def clear_problem(device_id: int, code: str) -> None:
        """Take a problem off a terminal, if it has it."""

    def remove(device_id: int) -> None:
        """Forget a terminal that has no records; `ValueError` if it has some."""


class ICommKeys(Interface):
    """The pushcommkeys that were offered for terminals (5): a bounded number of each."""

    def of(device_id: int) -> list[OfferedKey]:
        """List the keys of a terminal, in the order they were first seen."""

    def of_all(device_ids: Collection[int]) -> dict[int, list[OfferedKey]]:
        """Map terminals to the keys that were offered for them; those without one are left out."""

    def offer(device_id: int, fingerprint: str, address: str | None, now: int) -> int:
        """Note that a key was offered; returns how many keys there are of the terminal."""

    def forget(device_id: int, but: str | None = None) -> None:
        """Drop the keys that were offered for a terminal, but for one."""


class ISessions(Interface):
    """The keys of encrypted sessions (6, 7), and the secrets that they begin with.

    Every change gives the terminal a new `generation`, so that no process goes on with old keys.
    """

    def secret(device_id: int) -> bytes:
        """The secret that is shared with a terminal; empty if there is none."""

    def keep_secret(device_id: int, secret: bytes) -> None:
        """Keep the secret that is shared with a terminal; an empty one is none."""

    def keys(device_id: int) -> list[Keys]:
        """The keys in use, if there are some, then those that are being agreed on."""

    def begin(device_id: int, suite: str, state: bytes) -> int:
        """Keep what came of public keys, in the place of what was begun before.

        Gives the generation.
        """

    def agree(device_id: int, generation: int, state: bytes) -> int | None:
        """Keep what came of factors, if that generation is at its public keys: None if not.

        Gives the generation that there is now.
        """

    def claim(device_id: int, generation: int, number: int) -> bool:
        """Take a request by its number, once: False if one with that or a higher one was taken.

        The first number makes agreed keys the ones in use, and drops those before.
        """

    def raise_numbers(numbers: Mapping[int, tuple[int, int]]) -> None:
        """Write which requests were taken: by terminal, the generation of the keys and a number."""

    def drop(device_id: int) -> None:
        """Forget all keys of a terminal, but not its secret."""


class IStamps(Interface):
    """How far each terminal has sent each data type (5)."""

    def of(device_id: int) -> dict[str, str]:
        """Map the names of the tables a terminal has uploaded to their last stamps."""

    def remember(device_id: int, table: str, stamp: str) -> None:
        """Keep the stamp of an upload."""

    def reset(device_id: int, table: str) -> None:
        """Forget a stamp, and those of all uploads until the next exchange asks for everything."""

    def told(device_id: int) -> None:
        """Hear that an exchange has asked for everything that was wanted again."""


class IAttendance(Interface):
    """Attendance records."""

    def add(device_id: int, rows: Sequence[Row], clock: WallClock, now: int) -> None:
        """Store decoded rows; a record that is there already stays as it is.

        The terminal's clock gives the instant of a record, unless it has an offset of its own.
        What is doubtful about it (`zkpush.protocol.times`) is kept beside it.
        """

    def page(
        part: Page,
        device: str | None,
        pin: str | None,
        since: int | None,
        until: int | None,
    ) -> list[Record]:
        """List records by id; `since` (inclusive) and `until` (exclusive) are in seconds, UTC."""

    def last() -> int:
        """The id of the last record; 0 if there is none."""

    def count(device_id: int | None) -> int:
        """Count the records of a terminal, or all."""

    def count_times(device_id: int, begin: str, end: str) -> int:
        """Count the records of a terminal by its own clock, both ends included."""


class ILog(Interface):
    """Records of one type that are kept as they came: operations, errors, identity cards."""

    def add(device_id: int, batch: Batch, clock: WallClock, now: int) -> None:
        """Store decoded records; one that is there already stays as it is.

        Records without a time are told apart by the stamp of their upload, and by how often the
        same was in it.
        """

    def page(part: Page, device: str | None) -> list[Record]:
        """List records by id."""


class IPictures(Interface):
    """Pictures, each by what it is."""

    def keep(content: bytes) -> str:
        """Keep a picture; gives its index in hex, by which it is found again."""

    def keep_all(contents: Sequence[bytes]) -> Mapping[bytes, str]:
        """Keep pictures that come together; returns the index of each in hex."""

    def get(digest: str) -> bytes:
        """Find a picture; `LookupError` if it is not here."""

    def part(digest: str, offset: int, length: int) -> bytes:
        """Some of the bytes of a picture, as many as there are; `LookupError` if it is not here."""


class IAttendancePhotos(Interface):
    """Photos that were taken when somebody was, or was not, verified (11.3, 11.8)."""

    def add(device_id: int, photo: Photo, clock: WallClock, now: int) -> None:
        """Store a photo; one that is there already, by name and picture, stays as it is."""

    def add_all(device_id: int, photos: Sequence[Photo], clock: WallClock, now: int) -> None:
        """Store the photos of one upload."""

    def page(part: Page, device: str | None, pin: str | None) -> list[Record]:
        """List photos by id."""

    def content(photo_id: int) -> bytes | None:
        """The picture of a photo; None if there is no such photo."""


class IPeople(Interface):
    """Users, their templates and photos: the newest of each, whichever terminal said it.

    What a terminal says again, and what any terminal has said before, changes nothing.
    """

    def keep_users(device_id: int, said: Sequence[Said], now: int) -> None:
        """Keep users; what a terminal does not say of a user stays as it was."""

    def keep_templates(device_id: int, said: Sequence[Said], now: int) -> None:
        """Keep templates, the newest of each key."""

    def keep_photos(device_id: int, said: Sequence[Said], now: int) -> None:
        """Keep photos, the newest of each key; `content` is the picture, or None."""

    def users(part: Page, pin: str | None = None) -> Sequence[Record]:
        """List users by id, each with how many templates of each type, and whether with a photo."""

    def templates(pin: str) -> Sequence[Record]:
        """The templates of a user."""

    def photos(pin: str) -> Sequence[Record]:
        """The photos of a user, each with its `content`, or None where it is elsewhere."""


class IEntries(Interface):
    """What terminals hold beside people: work codes, short messages, lists of identity cards."""

    def keep(
        device_id: int,
        table: str,
        said: Sequence[tuple[Sequence[object], Mapping[str, object]]],
        now: int,
    ) -> None:
        """Keep what a terminal says it holds: the key of each entry, and its fields."""

    def page(part: Page, device: str | None, table: str | None) -> list[Entry]:
        """List entries by id."""


class IRejects(Interface):
    """What was not understood: kept with its bytes."""

    def add(device_id: int, rejects: Sequence[Reject], now: int) -> None:
        """Keep rejects; the same bytes from the same terminal are kept once.

        They are sealed here, on the writer's thread: for few of them.
        """

    def add_sealed(rejects: SealedRejects) -> None:
        """Keep rejects that `IStore.seal_rejects` has sealed on another thread."""

    def page(part: Page, device: str | None) -> list[StoredReject]:
        """List rejects by id; the bytes of long ones are left out."""

    def get(reject_id: int) -> StoredReject | None:
        """Find a reject, with all its bytes."""


class IInbox(Interface):
    """Lines for plugins that store them later, in transactions of their own."""

    def add(items: SealedItems) -> None:
        """Keep items that `IStore.seal_items` has sealed, in their order."""

    def claim(plugin: str, now: int, until: int) -> list[InboxItem]:
        """The next items of one terminal, for one plugin; nobody else takes them `until` then.

        The first of each terminal, those that were tried least before others, and then the oldest;
        after them those that are isolated.
        """

    def stored(ids: Sequence[int]) -> bool:
        """Drop items that the plugin has stored; False if some are not there any more."""

    def failed(ids: Sequence[int], error: str, now: int, next_at: int, *, isolated: bool) -> None:
        """Note what the plugin raised; the items are taken again at `next_at`."""

    def give_back(ids: Sequence[int]) -> None:
        """Let items be taken again at once, one by one."""

    def due(now: int) -> list[str]:
        """The plugins for which items may be there to be taken."""

    def states() -> list[InboxState]:
        """What waits for each plugin, by its name."""


class ICommands(Interface):
    """The command queues of all terminals. Every change of state is a compare-and-set, and an
    event."""

    def add(device_id: int, command: NewCommand, now: int) -> QueuedCommand:
        """Queue a command. Ids that were used before are refused with `ValueError`."""

    def get(command_id: str) -> QueuedCommand | None:
        """Find a command by its CmdID."""

    def open_among(device_id: int, command_ids: Collection[str]) -> frozenset[str]:
        """Which of some CmdIDs are of open commands of a terminal."""

    def find(device_id: int, idempotency_key: str) -> QueuedCommand | None:
        """Find the command of a terminal that was queued with a key."""

    def page(part: Page, device: str) -> list[tuple[int, QueuedCommand]]:
        """List the commands of a terminal in the order they were queued, each with its cursor."""

    def due(device_id: int, now: int, limit: int) -> list[QueuedCommand]:
        """The commands to send now: queued ones, and sent ones whose lease has run out.

        They are the caller's until the commit; another process gets those that are left. One that
        is answered has a return code, and is not to be sent again but ended.
        """

    def sent(device_id: int) -> list[QueuedCommand]:
        """The commands that a terminal has, or should have, and that are not ended."""

    def with_file(digest: bytes) -> QueuedCommand | None:
        """Find the open command whose file has a URL with the secret of that digest."""

    def fetches(file_id: int) -> bool:
        """Whether an open command tells its terminal to fetch a file."""

    def lease(commands: Sequence[QueuedCommand], until: int, now: int) -> None:
        """Mark due commands as sent, until a lease runs out; counts an attempt for each."""

    def cut_leases(most: int) -> None:
        """Let leases that run out after an instant (ms) run out then."""

    def next_due(device_id: int) -> int | None:
        """When (ms) there is something to send to a terminal: 0 for now, None for never."""

    def all_due() -> dict[int, int]:
        """`next_due` of every terminal that has open commands."""

    def expire(device_id: int, now: int, attempts: int) -> int:
        """End the commands that were sent `attempts` times and whose last lease has run out."""

    def expire_old(before: int, now: int, limit: int) -> int:
        """End open commands of all terminals that were queued before an instant."""

    def arrived(command: QueuedCommand, records: int) -> None:
        """Count records that a QUERY asked for."""

    def answered(command: QueuedCommand, return_code: int, now: int) -> None:
        """Note the answer to a QUERY whose records may still come; it is due, to be ended."""

    def finish(
        device_id: int,
        command_id: str,
        state: CommandState,
        return_code: int | None,
        result: Mapping[str, str] | None,
        now: int,
    ) -> QueuedCommand | None:
        """End an open command of a terminal, once: None if it was not open, or not its own."""

    def pending() -> dict[int, int]:
        """How many commands each terminal has open."""


class IFiles(Interface):
    """Files for terminals, and from them."""

    def add(
        name: str, content: bytes, origin: str | None, now: int, command: str | None = None
    ) -> StoredFile:
        """Keep a file. The name is data, and never part of a path.

        One that is made for a command is removed when the command ends.
        """

    def get(file_id: int) -> StoredFile | None:
        """Find a file."""

    def content(file: StoredFile) -> bytes:
        """What a file holds; `LookupError` if it is not here."""

    def part(file: StoredFile, offset: int, length: int) -> bytes:
        """Some of what a file holds, within its size; `LookupError` if it is not here, or cut."""

    def page(part: Page) -> list[StoredFile]:
        """List files by id, but for those that were made for a command."""

    def remove(file_id: int) -> bool:
        """Forget a file; False if there is none."""


class IEvents(Interface):
    """What has happened, in the order of the commits."""

    def add(kind: str, data: Mapping[str, object], now: int | None = None) -> None:
        """Tell of something, once the unit of work is committed; `now` is the store's, else."""

    def page(part: Page) -> list[Event]:
        """List events by id."""

    def last() -> int:
        """The id of the last event; 0 if there is none."""

    def forget(before: int, limit: int) -> int:
        """Drop the oldest events, up to a number of them, that are older than an instant (ms).

        Gives how many there were. The last of them stays, as a `GAP`.
        """


class IAudit(Interface):
    """Who did what, in a keyed hash chain; the database refuses to change it.

    The oldest rows can be removed by `forget`, which leaves a checkpoint.
    """

    def add(actor: str, action: str, subject: str, detail: str | None, now: int) -> None:
        """Record it; none of it is secret, and people stand in it by `person` only."""

    def person(pin: str) -> str:
        """The pseudonym of a person, for a subject or a detail."""

    def page(
        part: Page,
        since: int | None = None,
        until: int | None = None,
        actor: str | None = None,
        action: str | None = None,
        pin: str | None = None,
    ) -> list[AuditRecord]:
        """List records by id: from `since` on and before `until`, in milliseconds.

        With `pin`, only those that name this person.
        """

    def forget(before: int, limit: int, setting: str, now: int) -> int:
        """Remove the oldest records, up to `limit`, that are older than an instant (ms).

        A checkpoint in the log says which, when and under which setting. `StoreError` if they are
        not as they were written.
        """


class ITokens(Interface):
    """Tokens of the API, by their SHA-256."""

    def add(token: NewToken, now: int) -> StoredToken | None:
        """Keep a token; None if there is one of that name."""

    def find(digest: bytes) -> StoredToken | None:
        """Find a token by its digest."""

    def all() -> Sequence[StoredToken]:
        """All tokens."""

    def page(part: Page) -> Sequence[StoredToken]:
        """List tokens by id."""

    def remove(name: str) -> bool:
        """Forget a token; False if there is none of that name."""

    def used(times: Mapping[int, int]) -> None:
        """Write when (ms) tokens were last used, by id."""


class ILeases(Interface):
    """Who of several processes does a background job."""

    def hold(name: str, owner: str, until: int, now: int) -> bool:
        """Take or renew a lease, unless somebody else has it; times are in milliseconds.

        It runs out at `until`; it can be taken if it has never been, has run out by `now`, was
        given back, or is the owner's already. True means that it is the owner's once the unit of
        work is committed. A lease of somebody else that lies farther in the future than two of this
        length is cut to this one: a clock was set back.
        """

    def release(name: str, owner: str) -> None:
        """Give a lease back, if it is still the owner's."""

    def forget(prefix: str, before: int) -> None:
        """Remove leases whose names begin so and that ran out before an instant (ms)."""
