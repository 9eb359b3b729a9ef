"""zkpush's own plugins: policies, verifiers, cipher suites, stores, families and forwarders."""

from zkpush.crypto.rc4 import RC4Suite
from zkpush.crypto.suite import SealingSuite
from zkpush.device import admission
from zkpush.handlers.forward.kinds.csvfiles import CSV
from zkpush.handlers.forward.kinds.erpnext import ERPNext
from zkpush.handlers.forward.kinds.mqtt import Mqtt
from zkpush.handlers.forward.kinds.smtp import Smtp
from zkpush.handlers.forward.kinds.sqltable import SQL
from zkpush.handlers.forward.webhook import Webhook
from zkpush.handlers.people.verification import KnownUsers
from zkpush.persist.postgresql import PostgreSQLStores
from zkpush.persist.sqlite import SQLiteStores
from zkpush.resources.attendance.family import AttendancePush

approve = admission.APPROVE
open_ = admission.OPEN
closed = admission.CLOSED
known = KnownUsers()
sealing = SealingSuite()
rc4 = RC4Suite()
sqlite_stores = SQLiteStores()
postgresql_stores = PostgreSQLStores()
attendance_push = AttendancePush()
webhook = Webhook()
erpnext = ERPNext()
mqtt = Mqtt()
csv = CSV()
sql = SQL()
smtp = Smtp()
