"""Generated requests over every form, every step and every address. test_fuzz.py runs a little, loadtests/trials/fuzz.py much."""
