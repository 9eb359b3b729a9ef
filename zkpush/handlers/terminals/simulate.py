"""Commands on the simulated terminal itself: options, door, restart (12.3, 12.4, 12.7)."""

from __future__ import annotations

from ...simulator import control

EXECUTE = {
    "CHECK": control.check,
    "LOG": control.log,
    "SET OPTION": control.set_option,
    "RELOAD OPTIONS": control.reload_options,
    "INFO": control.info,
    "REBOOT": control.reboot,
    "AC_UNLOCK": control.unlock,
    "AC_UNALARM": control.end_alarm,
}
