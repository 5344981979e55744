"""Generated requests over every form, every step and every address. test_fuzz.py runs a little, tests/trials/fuzz.py much."""
