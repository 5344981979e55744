"""The bank holidays of the four nations, with their substitute days."""

from datetime import date
from functools import lru_cache

from holidays import country_holidays

SUBDIVISIONS = {"england": "ENG", "wales": "WLS", "scotland": "SCT", "northern_ireland": "NIR"}


@lru_cache(maxsize=64)
def bank_holidays(nation: str, year: int) -> frozenset[date]:
    """The days of that year on which banks are closed: https://www.gov.uk/bank-holidays.

    A holiday that falls on a weekend is in it, and so is the working day that stands in for it. Days that are proclaimed year
    by year are known up to the installed version of the library. Raises KeyError for another nation.
    """
    return frozenset(country_holidays("GB", subdiv=SUBDIVISIONS[nation], years=year))
