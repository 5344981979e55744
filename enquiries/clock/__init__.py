"""Clinic hours, and when a person will hear from the clinic."""


def reply_by(at):
    return None
