"""Operation codes, their operation objects, and alarm reasons (spec Appendices 3 to 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .code import Code


class Operation(Code, noun="Operation"):
    """Operation at a terminal: the first column of an operation record (11.4, Appendix 3).

    Codes above 32 are not in specification 2.4.1, but in the same appendix of the vendor's protocol
    2.4.2.
    """

    STARTUP = 0, "Startup"
    SHUTDOWN = 1, "Shutdown"
    AUTHENTICATION_FAILED = 2, "Authentication fails"
    ALARM = 3, "Alarm"
    ACCESS_MENU = 4, "Access menu"
    CHANGE_SETTINGS = 5, "Change settings"
    ENROLL_FINGERPRINT = 6, "Enroll fingerprint"
    ENROLL_PASSWORD = 7, "Enroll password"
    ENROLL_HID_CARD = 8, "Enroll HID card"
    DELETE_USER = 9, "Delete user"
    DELETE_FINGERPRINT = 10, "Delete fingerprint"
    DELETE_PASSWORD = 11, "Delete password"
    DELETE_RF_CARD = 12, "Delete RF card"
    CLEAR_DATA = 13, "Clear data"
    CREATE_MF_CARD = 14, "Create MF card"
    ENROLL_MF_CARD = 15, "Enroll MF card"
    REGISTER_MF_CARD = 16, "Register MF card"
    UNREGISTER_MF_CARD = 17, "Delete MF card registration"
    CLEAR_MF_CARD = 18, "Clear MF card content"
    MOVE_TO_CARD = 19, "Move enrolled data into the card"
    COPY_FROM_CARD = 20, "Copy data in the card to the machine"
    SET_TIME = 21, "Set time"
    FACTORY_SETTINGS = 22, "Restore factory settings"  # "Delivery configuration" in the appendix
    DELETE_ACCESS_RECORDS = 23, "Delete entry and exit records"
    CLEAR_ADMINISTRATORS = 24, "Clear administrator privilege"
    CHANGE_ACCESS_GROUP = 25, "Modify access group settings"
    CHANGE_USER_ACCESS = 26, "Modify user access settings"
    CHANGE_TIME_PERIOD = 27, "Modify access time period"
    CHANGE_UNLOCK_COMBINATION = 28, "Modify unlocking combination settings"
    UNLOCK = 29, "Unlock"
    ENROLL_USER = 30, "Enroll a new user"
    CHANGE_FINGERPRINT = 31, "Change fingerprint attribute"
    DURESS_ALARM = 32, "Duress alarm"
    # 2.4.2
    DOORBELL = 33, "Doorbell call"
    ANTI_PASSBACK = 34, "Anti-passback"
    DELETE_ATTENDANCE_PHOTO = 35, "Delete attendance photo"
    CHANGE_USER = 36, "Modify other user information"
    HOLIDAY = 37, "Holiday"
    RESTORE_DATA = 38, "Restore data"
    BACK_UP_DATA = 39, "Back up data"
    USB_UPLOAD = 40, "Upload from USB drive"
    USB_DOWNLOAD = 41, "Download to USB drive"
    USB_ENCRYPTION = 42, "Encrypt attendance records on USB drive"
    USB_DELETE_DOWNLOADED = 43, "Delete records after download to USB drive"
    EXIT_BUTTON = 53, "Exit button"
    DOOR_SENSOR = 54, "Door sensor"
    ALARM_SIGNAL = 55, "Alarm signal"
    RESTORE_PARAMETERS = 56, "Restore parameters"
    ENROLL_USER_PHOTO = 68, "Enroll user photo"
    CHANGE_USER_PHOTO = 69, "Modify user photo"
    CHANGE_USER_NAME = 70, "Modify user name"
    CHANGE_USER_PRIVILEGE = 71, "Modify user privilege"
    CHANGE_IP_ADDRESS = 76, "Modify IP address"
    CHANGE_SUBNET_MASK = 77, "Modify subnet mask"
    CHANGE_GATEWAY = 78, "Modify gateway"
    CHANGE_DNS = 79, "Modify DNS server"
    CHANGE_CONNECTION_PASSWORD = 80, "Modify connection password"
    CHANGE_DEVICE_ID = 81, "Modify device ID of the connection"
    CHANGE_SERVER_ADDRESS = 82, "Modify cloud server address"
    CHANGE_SERVER_PORT = 83, "Modify cloud server port"
    CHANGE_ACCESS_RECORD_SETTINGS = 87, "Modify access record settings"
    CHANGE_FACE_PARAMETERS = 88, "Modify face parameters"
    CHANGE_FINGERPRINT_PARAMETERS = 89, "Modify fingerprint parameters"
    CHANGE_FINGER_VEIN_PARAMETERS = 90, "Modify finger vein parameters"
    CHANGE_PALMPRINT_PARAMETERS = 91, "Modify palmprint parameters"
    USB_UPGRADE = 92, "Upgrade from USB drive"
    CHANGE_RF_CARD = 100, "Modify RF card information"
    ENROLL_FACE = 101, "Enroll face"
    CHANGE_PERMISSION = 102, "Modify user permission"
    DELETE_PERMISSION = 103, "Delete user permission"
    ADD_PERMISSION = 104, "Add user permission"
    DELETE_DOOR_RECORDS = 105, "Delete access control records"
    DELETE_FACE = 106, "Delete face"
    DELETE_USER_PHOTO = 107, "Delete user photo"
    CHANGE_PARAMETERS = 108, "Modify parameters"
    SELECT_WIFI = 109, "Select Wi-Fi network"
    ENABLE_PROXY = 110, "Enable proxy"
    CHANGE_PROXY_ADDRESS = 111, "Modify proxy IP address"
    CHANGE_PROXY_PORT = 112, "Modify proxy port"
    CHANGE_PASSWORD = 113, "Modify user password"
    CHANGE_FACE = 114, "Modify face information"
    CHANGE_OPERATOR_PASSWORD = 115, "Modify operator password"
    RESTORE_ACCESS_SETTINGS = 116, "Restore access settings"
    OPERATOR_PASSWORD_WRONG = 117, "Wrong operator password"
    OPERATOR_PASSWORD_LOCKED = 118, "Operator password locked"
    CHANGE_LEGIC_LENGTH = 120, "Modify Legic card data length"
    ENROLL_FINGER_VEIN = 121, "Enroll finger vein"
    CHANGE_FINGER_VEIN = 122, "Modify finger vein"
    DELETE_FINGER_VEIN = 123, "Delete finger vein"
    ENROLL_PALMPRINT = 124, "Enroll palmprint"
    CHANGE_PALMPRINT = 125, "Modify palmprint"
    DELETE_PALMPRINT = 126, "Delete palmprint"

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of operation objects 1 to 4, as far as they are defined (spec Appendix 4)."""
        return _OBJECTS.get(self, ())

    def named(self, objects: Sequence[str]) -> dict[str, str]:
        """Name the operation objects of a record: `{"User ID": "14"}` (spec Appendix 4).

        An object without a name is kept under its number, as in `Operation object 2`, unless it is
        empty or 0, with which terminals fill unused columns.
        """
        names = self.objects
        objects = self._ordered(objects)
        return {
            names[place] if place < len(names) else f"Operation object {place + 1}": value
            for place, value in enumerate(objects)
            if place < len(names) or value.strip() not in ("", "0")
        }

    def words(self, objects: Sequence[str]) -> dict[str, str]:
        """The meanings of coded operation objects, by the names that `named` returns."""
        if self != Operation.ALARM or not objects or not _is_number(objects[0]):
            return {}
        reason = AlarmReason(int(self._ordered(objects)[0]))
        return {self.objects[0]: reason.meaning}

    def _ordered(self, objects: Sequence[str]) -> Sequence[str]:
        """Move the reason of an alarm to the first position; see `alarm_reason`."""
        if self != Operation.ALARM or not all(map(_is_number, objects[:2])):
            return objects
        reason = alarm_reason([int(value) for value in objects[:2]])
        if reason is None or reason == int(objects[0]):
            return objects
        return [objects[1], objects[0], *objects[2:]]


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) <= _LONGEST_NUMBER


_LONGEST_NUMBER = 10
_USER = ("User ID",)
_OBJECTS: Mapping[int, tuple[str, ...]] = {
    Operation.AUTHENTICATION_FAILED: ("User ID (1:1 authentication)",),
    # Appendix 4 prints the reason as object 2, beside the word "Alarm"; terminals send it as the
    # first. See `alarm_reason`.
    Operation.ALARM: ("Alarm reason",),
    Operation.CHANGE_SETTINGS: ("Setting number", "New value"),
    Operation.ENROLL_FINGERPRINT: ("User ID", "Fingerprint number", "Template length"),
    Operation.DELETE_USER: _USER,
    Operation.DELETE_FINGERPRINT: _USER,
    Operation.DELETE_PASSWORD: _USER,
    Operation.DELETE_RF_CARD: _USER,
    # Not in Appendix 4, but observed on terminals, and what the enrolment of a fingerprint has.
    Operation.ENROLL_USER: _USER,
    Operation.ENROLL_PASSWORD: _USER,
    Operation.ENROLL_HID_CARD: _USER,
    Operation.ENROLL_MF_CARD: _USER,
    Operation.ENROLL_FACE: _USER,
    Operation.ENROLL_FINGER_VEIN: _USER,
    Operation.ENROLL_PALMPRINT: _USER,
    Operation.CHANGE_USER_NAME: _USER,
}


class AlarmReason(Code, noun="Alarm reason"):
    """Reason for an alarm: object of an operation record with code 3 (spec Appendix 5)."""

    DOOR_CLOSED = 50, "Door Close Detected"
    DOOR_OPENED = 51, "Door Open Detected"
    EXIT_BUTTON = 53, "Out Door Button"
    DOOR_FORCED = 54, "Door Broken Accidentally"
    TAMPERED = 55, "Machine Been Broken"
    INVALID_VERIFICATION = 58, "Try Invalid Verification"
    CANCELLED = 65535, "Alarm Cancelled"


def alarm_reason(objects: Sequence[int]) -> AlarmReason | None:
    """Find the reason among the operation objects of an alarm; None without objects.

    Terminals send it as object 1, and Appendix 4 defines it as object 2. The first of these two
    that Appendix 5 lists is the reason; if neither is listed, object 1.
    """
    reasons = [AlarmReason(value) for value in objects[:2]]
    return next((reason for reason in reasons if reason.known), reasons[0] if reasons else None)
