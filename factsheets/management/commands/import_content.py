from dataclasses import replace
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from backcare.core.progress import Progress, stoppable
from factsheets.content_import import import_content, may_import
from factsheets.fixtures import ContentError

AROUND = 60  # characters of unchanged text that are shown beside a change


class Command(BaseCommand):
    help = (
        "Shows what the content in a folder would change here, word by word. With --apply it changes it, as an edit of "
        "the person that --by names. What staff changed here stays, unless --replace-ours says otherwise."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="As export_content wrote it.")
        parser.add_argument("--apply", action="store_true", help="Change it. Without this, nothing changes.")
        parser.add_argument("--by", metavar="USERNAME", help="The account under whose name it is recorded.")
        parser.add_argument(
            "--replace-ours", action="store_true", help="Take theirs also where somebody wrote something else here."
        )

    def handle(self, *, folder, apply, by, replace_ours, **options):
        if apply and not by:
            raise CommandError("Name the editor with --by.")
        user = self._user(by) if by else None
        progress = Progress(self.stdout)
        try:
            with stoppable(progress, "Nothing has been changed."):
                found = import_content(folder, by=user, apply=apply, replace_ours=replace_ours, progress=progress.of)
        except ContentError as error:
            raise CommandError(f"{error} Nothing has been changed.") from error
        self._show(found)
        if found.is_empty:
            self.stdout.write("Nothing of it would be taken." if found.kept else "There is nothing to import.")
        elif apply:
            self.stdout.write("Done. Each page's history records it and can undo it.")
        else:
            self.stdout.write("Nothing has been changed. Add --apply --by USERNAME to import this.")

    def _user(self, name: str):
        user = get_user_model().objects.filter(username=name).first()
        if user is None or not may_import(user):
            raise CommandError(f"There is no account {name} that may edit fact sheets.")
        return user

    def _show(self, found) -> None:
        for record in found.added:
            self.stdout.write(f"new       {record}")
        for title, changes in found.sheets:
            for change in changes:
                self._words("changed", replace(change, part=f"{title}: {change.part}" if change.part else title))
        for change in found.shared:
            self._words("changed", change)
        for change in found.red_flags:
            self._words("red flag", change)
        for change in found.at_once:
            self._words("at once", change)
        for change in found.kept:
            self._words("ours kept", change)
        for line in found.waiting:
            self.stdout.write(f"waiting   {line}: in an open draft, word for word.")
        for line in found.left:
            self.stdout.write(f"left out  {line}")
        if found.sheets or found.shared:
            self.stdout.write("“Changed” entries go into drafts, which are published on the desk.")
        if found.red_flags:
            self.stdout.write("Red flags go into a draft, which a clinician approves on the desk.")
        if found.kept:
            self.stdout.write("Ours kept: written here, and other words in the file. --replace-ours takes theirs.")

    def _words(self, what: str, change) -> None:
        """As Git does: [-gone-] {+new+}, with some of what is around it."""
        marks = {"gone": "[-{}-]", "new": "{{+{}+}}", "same": "{}"}
        words = "".join(
            marks[kind].format(_shortened(words) if kind == "same" else words)
            for kind, words in replace(change, marked=False).words
        )
        self.stdout.write(f"{what:<9} {change.part}, {change.field}: {' '.join(words.split())}")


def _shortened(words: str) -> str:
    return words if len(words) <= 2 * AROUND else f"{words[:AROUND]} … {words[-AROUND:]}"
