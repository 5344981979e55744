"""Telephone numbers as people write them."""

from phonenumber_field.phonenumber import PhoneNumber


def in_words(number: PhoneNumber) -> str:
    """As people at home write it: 020 7946 0018. A number from elsewhere keeps its country."""
    return number.as_national if number.country_code == 44 else number.as_international


def kept_in_words(kept: str) -> str:
    """The same for a number as an enquiry keeps it: E.164, perhaps with an extension. What is no number stays as it is."""
    return in_words(PhoneNumber.from_string(kept)) if kept.startswith("+") else kept
