"""An editor gives a figure a picture, over HTTP, and readers get it in every output."""

import io
import json
import re
import threading

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from factsheets import actions, pictures, shared_drafts
from factsheets.models import Figure, Picture, PictureFile, Section
from tests.support import pictures as samples
from tests.support.desk import change_address, draft_of, errors_of, person, seen, values_of
from tests.support.html import tree
from tests.support.pictures import BLUE, figure_of_a_sheet, made, prepared, show
from tests.support.wsgi import ask

pytestmark = pytest.mark.usefixtures("db")
ADD = "/admin/factsheets/figure/add/"


@pytest.fixture
def figure():
    return figure_of_a_sheet()


@pytest.fixture
def editor(client):
    client.force_login(person("Eve", "editor"))
    return client


def file(data: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/jpeg")


def send(client, address: str, **changes):
    return seen(client, address, client.post(address, values_of(client.get(address)) | changes), follow=False)


def give(client, figure, data: bytes, **changes) -> Picture:
    """The figure's picture, after an editor uploaded it in place of what was there."""
    response = send(client, change_address(figure), drawing="", upload=file(data), **changes)
    assert response.status_code == 302, errors_of(response)
    figure.refresh_from_db()
    return figure.picture


# --- taking a picture ---


@pytest.mark.long
def test_an_editor_replaces_a_drawing_with_a_picture(editor, figure):
    picture = give(editor, figure, made(size=(500, 400)), credit="Photo: A. Example, with permission")
    assert (figure.drawing, figure.credit) == ("", "Photo: A. Example, with permission")
    assert (figure.width, figure.height) == (picture.width, picture.height) == (500, 400)
    assert picture.uploaded_by.username == "eve"
    assert sorted(picture.files.values_list("format", "width")) == [
        (name, width) for name in ("jpg", "webp") for width in (400, 500)
    ]
    shown = editor.get(change_address(figure))
    [preview] = [each for each in tree(shown).iter("img") if "preview" in each.get("class", "")]
    assert preview.get("src") == pictures.address(picture.digest, 500, "jpg")
    assert "style" not in preview.attrib
    assert "500 × 400 pixels" in shown.content.decode()


def test_a_new_figure_can_start_with_a_picture(editor):
    words = {"slug": "a-photo", "title": "A photo", "alt": "A photo.", "long_description": "It shows a test."}
    response = send(editor, ADD, upload=file(made()), **words)
    assert response.status_code == 302, errors_of(response)
    figure = Figure.objects.get(slug="a-photo")
    assert figure.picture.files.count() == 2
    assert (figure.width, figure.height) == (400, 300)


def test_the_form_can_be_filled_in_without_javascript_and_says_what_it_takes(editor, figure):
    document = tree(editor.get(change_address(figure)))
    [form] = [each for each in document.iter("form") if each.get("id") == "figure_form"]
    assert form.get("enctype") == "multipart/form-data"
    [field] = [each for each in form.iter("input") if each.get("type") == "file"]
    [help_text] = [each for each in document.iter() if each.get("id") == field.get("aria-describedby")]
    for word in ("JPEG, PNG or WebP", "400 pixels", "10 MB", "Animations", "location"):
        assert word in "".join(help_text.itertext())
    assert not {"width", "height"} & {each.get("name") for each in form.iter("input")}
    [choice] = [each for each in form.iter("select") if each.get("name") == "drawing"]
    options = [each.get("value") for each in choice.iter("option")]
    assert {"", "figures/spine-24-bones.svg"} <= set(options)


@pytest.mark.long
def test_a_drawing_is_chosen_from_those_there_are_and_its_size_is_read_from_it(editor, figure):
    Figure.objects.filter(pk=figure.pk).update(width=1, height=1)
    assert send(editor, change_address(figure), drawing="figures/keep-moving.svg").status_code == 302
    figure.refresh_from_db()
    assert figure.drawing == "figures/keep-moving.svg"
    assert (figure.width, figure.height) == figure.size_of_file()
    assert figure.width >= 300
    for name in ("figures/../settings.svg", "figures/no-such.svg", "x"):
        assert "Select a valid choice" in errors_of(send(editor, change_address(figure), drawing=name))


def test_a_drawing_whose_file_is_gone_is_not_changed_in_silence(editor, figure):
    Figure.objects.filter(pk=figure.pk).update(drawing="figures/gone.svg")
    opened = editor.get(change_address(figure))
    assert opened.status_code == 200
    assert "gone (the file is missing)" in opened.content.decode()
    assert "is missing" in errors_of(send(editor, change_address(figure)))


@pytest.mark.long
def test_both_or_none_is_said_in_words(editor, figure):
    both = send(editor, change_address(figure), upload=file(made()))
    assert "A figure shows a drawing or a picture, not both." in errors_of(both)
    assert "Choose the picture again" in errors_of(both)
    assert "Choose a drawing, or upload a picture." in errors_of(send(editor, change_address(figure), drawing=""))
    show(figure)
    both = send(editor, change_address(figure), drawing="figures/keep-moving.svg")
    assert "A figure shows a drawing or a picture, not both." in errors_of(both)
    with pytest.raises(ValidationError, match="Choose a drawing, or upload a picture"):
        Figure(slug="x", title="x", alt="x", long_description="x").full_clean()


@pytest.mark.parametrize(
    "data, words",
    [
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            "We cannot read this file as a picture",
        ),
        (samples.png(size=(60_000, 60_000)), "more than 40 million pixels"),
        (made()[:-300], "damaged or incomplete"),
        (b"", "The submitted file is empty"),
        (bytes(11 * 1024 * 1024), "The file is larger than 10 MB"),
    ],
    ids=["svg", "bomb", "truncated", "empty", "11 MB"],
)
@pytest.mark.once
def test_a_refused_picture_costs_nothing_that_was_typed(editor, figure, data, words):
    typed = {"title": "A title", "alt": "An “alternative” <b>", "long_description": "Long\r\nwords.", "credit": "Who?"}
    response = send(editor, change_address(figure), drawing="", upload=file(data), **typed)
    assert response.status_code == 200
    assert words in errors_of(response)
    assert "Choose a drawing, or upload" not in errors_of(response)
    back = values_of(response)
    assert {name: re.sub(r"\r?\n", "\r\n", back[name]) for name in typed} == typed
    assert not Picture.objects.exists()
    before = figure.drawing
    figure.refresh_from_db()
    assert figure.drawing == before


def test_a_good_picture_beside_a_mistake_is_asked_for_again(editor, figure):
    response = send(editor, change_address(figure), drawing="", upload=file(made()), title="")
    assert "Choose the picture again" in errors_of(response)
    assert not Picture.objects.exists()


@pytest.mark.long
def test_patients_forms_need_not_wait_while_a_picture_is_read(editor, figure, monkeypatch):
    """The reader runs outside the desk's transaction, which locks the whole of SQLite."""
    depths = []
    real = pictures.prepare

    def watched(data, shape):
        depths.append(len(connection.savepoint_ids))
        return real(data)

    monkeypatch.setattr(pictures, "prepare", watched)
    outside = len(connection.savepoint_ids)
    give(editor, figure, made())
    assert depths == [outside]


def test_a_picture_is_kept_while_a_colleague_s_save_clears_up_and_its_draft_is_not_written_yet(
    transactional_db, client, figure, monkeypatch
):
    client.force_login(person("Eve", "editor"))
    real = shared_drafts.begin

    def clear_up():
        pictures.discard_unused()
        connection.close()

    colleague = threading.Thread(target=clear_up)

    def begun_late(**given):
        colleague.start()
        colleague.join(0.5)
        return real(**given)

    monkeypatch.setattr(shared_drafts, "begin", begun_late)
    send(client, change_address(figure), drawing="", upload=file(made()), _draft="1")
    colleague.join(20)
    [digest] = draft_of(figure).content["picture"]
    assert Picture.objects.filter(digest=digest).exists()


# --- who, and how much ---


def test_only_those_who_may_change_figures_can_upload(client, figure):
    client.force_login(person("Rae", "reception"))
    assert client.post(change_address(figure), {"upload": file(made())}).status_code == 403
    client.force_login(person("Cai", "clinician"))
    looked = client.get(change_address(figure))
    assert looked.status_code == 200
    assert b"field-upload" not in looked.content
    assert client.post(change_address(figure), {"upload": file(made())}).status_code == 403
    assert not Picture.objects.exists()


@pytest.mark.long
@pytest.mark.once
def test_nine_megabytes_pass_for_a_figure_and_nowhere_else(editor, figure):
    photo = samples.png((b"prVt", bytes(9_000_000)))
    assert 9_000_000 < len(photo) < pictures.MAX_BYTES
    assert give(editor, figure, photo).width == 400
    for address in ("/question/", "/report/", "/consultation/", reverse("admin:factsheets_source_add")):
        assert editor.post(address, {"upload": file(photo)}).status_code == 413


@pytest.mark.once
def test_far_too_much_is_a_page_that_says_how_large_a_picture_may_be(editor, figure):
    answer = ask(path=change_address(figure), CONTENT_LENGTH=str(50_000_000))
    assert answer.status_code == 413
    assert b"less than 10 MB" in answer.content


def test_a_stranger_s_upload_is_not_even_read(figure):
    class Untouched(io.BytesIO):
        def read(self, *args):
            raise AssertionError("The body was read.")

        readline = read

    answer = ask(
        path=change_address(figure),
        CONTENT_TYPE="multipart/form-data; boundary=b",
        CONTENT_LENGTH="9000000",
        HTTP_SEC_FETCH_SITE="same-origin",
        **{"wsgi.input": Untouched()},
    )
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/login/")


# --- keeping and throwing away ---


@pytest.mark.long
def test_the_same_picture_is_kept_once_and_stays_while_a_figure_shows_it(editor, figure):
    other = Figure.objects.exclude(pk=figure.pk).first()
    first = show(figure)
    assert give(editor, other, made()) == first
    give(editor, figure, made(colour=BLUE))
    assert Picture.objects.count() == 2
    assert (
        send(editor, change_address(other), drawing="figures/keep-moving.svg", **{"upload-clear": "on"}).status_code
        == 302
    )
    assert not Picture.objects.filter(pk=first.pk).exists()
    assert PictureFile.objects.count() == 2
    for file_ in PictureFile.objects.all():
        assert Client().get(pictures.address(file_.picture.digest, file_.width, file_.format)).status_code == 200
    assert Client().get(pictures.address(first.digest, 400, "jpg")).status_code == 404


@pytest.mark.long
def test_saving_only_the_words_leaves_the_picture(editor, figure):
    picture = show(figure)
    assert send(editor, change_address(figure), title="Another title").status_code == 302
    figure.refresh_from_db()
    assert (figure.title, figure.picture) == ("Another title", picture)


def test_a_figure_that_is_deleted_takes_its_picture_along(staff_client):
    words = {"title": "A photo", "alt": "A photo.", "long_description": "It shows a test."}
    kept = pictures.keep(prepared((400, 300)), by=None)
    one, many = (Figure.objects.create(slug=slug, picture=kept, **words) for slug in ("one", "many"))
    staff_client.post(f"/admin/factsheets/figure/{one.pk}/delete/", {"post": "yes"})
    assert Picture.objects.get() == kept
    chosen = {"action": "delete_selected", "_selected_action": many.pk, "post": "yes"}
    staff_client.post("/admin/factsheets/figure/", chosen)
    assert not Figure.objects.filter(slug__in=["one", "many"]).exists()
    assert not Picture.objects.exists()


@pytest.mark.both
@pytest.mark.long
def test_a_sheet_that_cannot_be_made_anew_keeps_the_picture_of_its_last_good_text(editor, figure, sheet):
    first = show(figure)
    section = sheet.sections.filter(kind="text").first()
    Section.objects.filter(pk=section.pk).update(body="Nobody knows this source. [@NOBODY]\n")
    give(editor, figure, made(colour=BLUE))
    sheet.refresh_from_db()
    assert first.digest in json.dumps(sheet.document)
    assert Client().get(pictures.address(first.digest, 400, "jpg")).status_code == 200
    Section.objects.filter(pk=section.pk).update(body=section.body)
    actions.refresh_all()
    assert pictures.discard_unused() == 1
