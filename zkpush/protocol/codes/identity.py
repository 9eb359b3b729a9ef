"""Code numbers of identity cards, their records and photos (spec 11.6 to 11.8)."""

from __future__ import annotations

from .code import Code


class Gender(Code, noun="Gender"):
    """Gender of an identity card (spec 11.6)."""

    MALE = 1, "Male"
    FEMALE = 2, "Female"


class RecordType(Code, noun="Record type"):
    """Type of an identity card attendance record (spec 11.7).

    It determines the codes of Status and Verify beside it: those of attendance, or `IdentityStatus`
    and `IdentityVerification`.
    """

    ATTENDANCE = 0, "Attendance"
    VERIFICATION = 1, "Verification"


class IdentityStatus(Code, noun="Verification status"):
    """Status of a record of the verification type (spec 11.7)."""

    SUCCESS = 0, "Success"
    FAILURE = 1, "Failure"
    BLACKLIST = 2, "Blacklist"


class IdentityVerification(Code, noun="Identity verification mode"):
    """Verify of a record of the verification type (spec 11.7)."""

    FACE = 1, "Face"
    FACE_FINGERPRINT = 2, "Face + fingerprint"
    FINGERPRINT_FACE = 3, "Fingerprint + face"


class IdentityPhoto(Code, noun="Photo type"):
    """Content of an identity card attendance photo, the second part of its name (spec 11.8)."""

    ATTENDANCE_SUCCESSFUL = 0, "Attendance successful photo"
    ATTENDANCE_FAILED = 1, "Attendance failed photo"
    BLACKLIST = 2, "Blacklist photo"
    VERIFICATION_SUCCESSFUL = 3, "Verification successful photo"
    VERIFICATION_FAILED = 4, "Verification failed photo"


class Nation(Code, noun="Nation"):
    """Nation of an identity card, an ethnic code (spec 11.6)."""

    DECODING_ERROR = 0, "Decoding error"
    HAN = 1, "Han"
    MONGOL = 2, "Mongol"
    HUI = 3, "Hui"
    TIBETAN = 4, "Tibetan"
    UIGHUR = 5, "Uighur"
    MIAO = 6, "Miao"
    YI = 7, "Yi"
    ZHUANG = 8, "Zhuang"
    BUYI = 9, "Buyi"
    KOREAN = 10, "Korean"
    MANCHU = 11, "Manchu"
    DONG = 12, "Dong"
    YAO = 13, "Yao"
    BAI = 14, "Bai"
    TUJIA = 15, "Tujia"
    HANI = 16, "Hani"
    KAZAKH = 17, "Kazakh"
    DAI = 18, "Dai"
    LI = 19, "Li"
    LISU = 20, "Lisu"
    WA = 21, "Wa"
    SHE = 22, "She"
    GAOSHAN = 23, "Gaoshan"
    LAHU = 24, "Lahu"
    SHUI = 25, "Shui"
    DONGXIANG = 26, "Dongxiang"
    NAXI = 27, "Naxi"
    JINGPO = 28, "Jingpo"
    KIRGHIZ = 29, "Kirghiz"
    DU = 30, "Du"
    DAUR = 31, "Daur"
    MULAM = 32, "Mulam"
    QIANG = 33, "Qiang"
    BLANG = 34, "Blang"
    SALAR = 35, "Salar"
    MAONAN = 36, "Maonan"
    GELAO = 37, "Gelao"
    XIBE = 38, "Xibe"
    ACHANG = 39, "Achang"
    PUMI = 40, "Pumi"
    TAJIK = 41, "Tajik"
    NU = 42, "Nu"
    UZBEK = 43, "Uzbek"
    RUSSIAN = 44, "Russian"
    EVENKI = 45, "Evenki"
    DEANG = 46, "De'ang"
    BONAN = 47, "Bonan"
    YUGUR = 48, "Yugur"
    GIN = 49, "Gin"
    TATAR = 50, "Tatar"
    DRUNG = 51, "Drung"
    OROQIN = 52, "Oroqin"
    HEZHEN = 53, "Hezhen"
    MENBA = 54, "Menba"
    LHOBA = 55, "Lhoba"
    JINO = 56, "Jino"
    CODING_ERROR = 57, "Coding error"
    OTHER = 97, "Other"
    FOREIGN = 98, "Foreign origin"
