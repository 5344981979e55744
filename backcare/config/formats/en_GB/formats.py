"""How Django itself writes a day, such as in its own lists: 30 November 2026.

Where the time matters a page says it by `enquiries/clock.py`.
"""

DATE_FORMAT = DATETIME_FORMAT = "j F Y"
