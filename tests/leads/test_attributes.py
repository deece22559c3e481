import pytest

from leads.attributes import AttributeInvalid, parse_attribute
from leads.enums import AttributeType as Type

SIZES = ["Small", "Large"]


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        (Type.TEXT, " Pumps ", "Pumps"),
        (Type.NUMBER, "12", 12),
        (Type.NUMBER, "12.50", 12.5),
        (Type.NUMBER, -3, -3),
        (Type.NUMBER, "-999999999999999.5", -999999999999999.5),
        (Type.NUMBER, "1e-1000000", 0.0),
        (Type.BOOLEAN, "Yes", True),
        (Type.BOOLEAN, False, False),
        (Type.DATE, "2026-05-31", "2026-05-31"),
        (Type.DATE, "9999-12-31", "9999-12-31"),  # how some systems write "without end"
        (Type.CHOICE, "large", "Large"),
        (Type.NUMBER, "", None),
        (Type.DATE, None, None),
    ],
)
def test_a_value_that_fits_is_stored_in_one_spelling(
    kind: Type, value: object, stored: object
) -> None:
    assert parse_attribute(kind, value, SIZES) == stored


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        (Type.NUMBER, "twelve", "'twelve' is not a number"),
        (Type.NUMBER, "NaN", "'NaN' is not a number"),
        (Type.NUMBER, "1e400", "'1e400' is not a number"),
        (Type.NUMBER, "1e1000000", "'1e1000000' is not a number"),
        (Type.NUMBER, "-1e15", "'-1e15' is not a number"),
        (Type.BOOLEAN, "maybe", "'maybe' is neither yes nor no"),
        (Type.DATE, "31.05.2026", "'31.05.2026' is not a date such as 2026-05-31"),
        (Type.CHOICE, "Medium", "'Medium' is not one of: Small, Large"),
        (Type.TEXT, "a\x00", "holds a character that is no text"),
        (Type.TEXT, "a" * 1001, "is longer than 1000 characters"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_a_sentence(
    kind: Type, value: object, sentence: str
) -> None:
    with pytest.raises(AttributeInvalid) as refused:
        parse_attribute(kind, value, SIZES)

    assert str(refused.value) == sentence
