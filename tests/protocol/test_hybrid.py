"""Hybrid identification (3.1, Appendix 10): the biometric types that both sides can exchange."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.strategies import option_names, option_values
from zkpush.protocol.hybrid import BiometricSupport, Hybrid, negotiate_types

FINGERPRINT, NEAR_INFRARED, PALM, VISIBLE = 1, 2, 8, 9


def test_the_example_of_the_specification() -> None:
    """Of fingerprints, faces and photos of faces, what the server lacks is not exchanged (3.1)."""
    hybrid = negotiate_types(
        {
            "MultiBioDataSupport": "0:1:0:0:0:0:0:0:0:1",
            "MultiBioPhotoSupport": "0:0:0:0:0:0:0:0:0:1",
        },
        settings={
            "MultiBioDataSupport": "0:0:0:0:0:0:0:0:0:1",
            "MultiBioPhotoSupport": "0:0:0:0:0:0:0:0:0:1",
        },
    )
    assert hybrid == Hybrid(True, (BiometricSupport(type=9, templates=True, photos=True),))
    assert hybrid.of(FINGERPRINT) == BiometricSupport(type=1, templates=False, photos=False)


def test_a_server_takes_every_type_unless_told_otherwise() -> None:
    """Without settings all that the terminal has is exchanged, but what has no type of its own."""
    hybrid = negotiate_types(
        {
            "MultiBioDataSupport": "1:1:1:0:0:0:0:0:0:0",
            "MultiBioPhotoSupport": "1:0:1:0:0:0:0:0:0:0",
        }
    )
    assert hybrid.types == (
        BiometricSupport(type=1, templates=True),
        BiometricSupport(type=2, templates=True, photos=True),
    )


def test_the_parameters_of_section_8_are_read_by_their_place() -> None:
    """Versions, capacities and counts belong to the type at whose place they stand."""
    hybrid = negotiate_types(
        {
            "MultiBioDataSupport": "0:1:1:0:0:0:0:0:0:0",
            "MultiBioPhotoSupport": "0:1:1:0:0:0:0:0:0:0",
            "MultiBioVersion": "0:10:0:7:0:0:0:0:0:0",
            "MultiBioCount": "0:100:200:0:0:0:0:0:0:0",
            "MaxMultiBioDataCount": "0:10000:2000:0:0:0:0:0:0:0",
            "MaxMultiBioPhotoCount": "0:10000:3000:0:0:0:0:0:0:0",
            "MultiBioDataCount": "0:17:18:0:0:0:0:0:0:0",
            "MultiBioPhotoCount": "0:19:20:0:0:0:0:0:0:0",
        }
    )
    assert hybrid.supported
    assert hybrid.types == (
        BiometricSupport(
            type=1,
            templates=True,
            photos=True,
            major_version=10,
            minor_version=0,
            template_capacity=10000,
            photo_capacity=10000,
            template_count=17,
            photo_count=19,
        ),
        BiometricSupport(
            type=2,
            templates=True,
            photos=True,
            template_capacity=2000,
            photo_capacity=3000,
            template_count=18,
            photo_count=20,
        ),
        BiometricSupport(type=3, major_version=7, minor_version=0),
    )


def test_versions_have_a_part_after_the_point() -> None:
    """The version of an algorithm may be 10.3; what is no version is none."""
    hybrid = negotiate_types({"MultiBioVersion": "0:10.3:v7:5.0:0:0:0:3.0:1.x:35.4"})
    assert {known.type: (known.major_version, known.minor_version) for known in hybrid.types} == {
        1: (10, 3),
        3: (5, 0),
        7: (3, 0),
        9: (35, 4),
    }


def test_update_information_gives_the_versions_that_options_do_not() -> None:
    """Fingerprint and face versions also come with the polls (9); the options go before them."""
    attributes = {"fingerprint_version": "10", "face_version": "7", "firmware": "Ver 2.0.12"}
    polled = negotiate_types({"MultiBioVersion": "0:0:0:0:0:0:0:0:1:0"}, attributes)
    assert polled.of(FINGERPRINT).major_version == 10
    assert polled.of(NEAR_INFRARED).major_version == 7
    assert polled.of(PALM).major_version == 1
    pushed = negotiate_types({"MultiBioVersion": "0:12:8"}, attributes)
    assert pushed.of(FINGERPRINT).major_version == 12
    assert pushed.of(NEAR_INFRARED).major_version == 8


def test_a_terminal_that_says_nothing_does_not_speak_it() -> None:
    """Old firmware does not know hybrid identification, and is told so by both lists."""
    assert negotiate_types({}) == Hybrid(False, ())
    assert negotiate_types({"FingerFunOn": "1", "MultiBioDataSupport": ""}) == Hybrid(False, ())
    assert negotiate_types({"MultiBioPhotoSupport": "0:0:0:0:0:0:0:0:0:1"}).supported
    assert negotiate_types({"MultiBioDataSupport": "0:0:0"}) == Hybrid(True, ())
    assert not negotiate_types({"MultiBioVersion": "0:10"}).supported


def test_lists_may_be_of_any_length_and_spacing() -> None:
    """A short list says nothing of the types after it, a long one no more than the server knows."""
    hybrid = negotiate_types(
        {"multibiodatasupport": "0: 1 :1: 0 : 0", "MULTIBIOPHOTOSUPPORT": "0::1"}
    )
    assert [(known.type, known.templates, known.photos) for known in hybrid.types] == [
        (1, True, False),
        (2, True, True),
    ]
    palm = "0:0:0:0:0:0:0:0:0:0:1"
    assert negotiate_types({"MultiBioDataSupport": palm}).types == ()
    told = negotiate_types({"MultiBioDataSupport": palm}, settings={"MultiBioDataSupport": palm})
    assert told.types == (BiometricSupport(type=10, templates=True),)


def test_a_capacity_that_is_no_number_is_unknown() -> None:
    """Only digits are a capacity; nothing else is taken for one."""
    hybrid = negotiate_types(
        {"MaxMultiBioDataCount": "0:-5:x:\u0663:9999999999:1 0:+7:1.5:100", "MultiBioVersion": ""}
    )
    assert hybrid.types == (BiometricSupport(type=8, template_capacity=100),)


@given(
    st.dictionaries(
        option_names(), option_values() | st.text("0123456789:. x", max_size=200), max_size=8
    )
)
def test_no_options_are_fatal(options: dict[str, str]) -> None:
    """Whatever a terminal pushes, each type is known once and in order."""
    types = [known.type for known in negotiate_types(options).types]
    assert types == sorted(set(types))
    assert all(0 <= type_ < 32 for type_ in types)
