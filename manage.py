#!/usr/bin/env python
import os
import sys

if __name__ == "__main__":
    os.umask(0o077)  # what is written is its owner's: mail files, backups, notes of what went wrong
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backcare.config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # A wrong setting is a sentence for the person at the keyboard, not a traceback.
        sys.exit(f"backcare cannot start: {error}")
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says that Ctrl-C ended a program
