from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminFileWidget, AdminTextInputWidget
from django.core.files.uploadedfile import UploadedFile
from django.templatetags.static import static
from django.utils.html import format_html

from factsheets import pictures
from factsheets.admin.fields import MakesShortName
from factsheets.admin.shared import SharedRecordAdmin
from factsheets.admin.shared_history import KEPT_FIELDS, SharedForm
from factsheets.models import Figure, Picture
from factsheets.models.figure import drawings

CHOOSE_AGAIN = "Choose the picture again. The file was fine, but browsers do not keep it while you fix other fields."
UPLOAD_HELP = (
    f"A still photo or picture: JPEG, PNG or WebP, at least 400 pixels wide and at most "
    f"{pictures.MAX_BYTES // 1024**2} MB and 40 million pixels. "
    "Animations and SVG files are not accepted. "
    "We remove the location, camera details and names stored in the file, and transparent areas become white."
)


class CurrentPicture:
    """A stored picture as a file field shows it: a link and its words."""

    def __init__(self, picture: Picture):
        self.url = pictures.address(picture.digest, picture.width, "jpg")
        self.words = f"picture, {picture.width} × {picture.height} pixels"

    def __str__(self):
        return self.words


class PictureInput(AdminFileWidget):
    initial_text = "Current picture"
    clear_checkbox_label = "Remove the picture"


def outcome(
    upload: UploadedFile, shape: pictures.Shape = pictures.FIGURE
) -> pictures.Prepared | pictures.PictureRefused:
    try:
        if upload.size > pictures.MAX_BYTES:
            raise pictures.PictureRefused(pictures.TOO_LARGE)
        return pictures.prepare(upload.read(), shape)
    except pictures.PictureRefused as refused:
        return refused


def picture_field(label: str) -> forms.FileField:
    return forms.FileField(
        label=label,
        required=False,
        widget=PictureInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        help_text=UPLOAD_HELP,
    )


class PictureForm(forms.ModelForm):
    """A form whose field `upload` brings the `picture` of a record, which may have a `drawing` of the site's own instead."""

    # The picture that this form uploaded, once it has been read and accepted.
    prepared: pictures.Prepared | None = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.picture:
            self.initial["upload"] = CurrentPicture(self.instance.picture)

    def drawing_choices(self, there: list[str], folder: str, none: str) -> list[tuple[str, str]]:
        """The choices. A drawing whose file is gone stays chosen until somebody chooses another."""
        lost = [self.instance.drawing] if self.instance.drawing and self.instance.drawing not in there else []
        short = {name: name.removeprefix(folder).removesuffix(".svg") for name in [*there, *lost]}
        return [
            ("", none),
            *((name, short[name]) for name in there),
            *((name, f"{short[name]} (the file is missing)") for name in lost),
        ]

    def clean_upload(self):
        upload = self.cleaned_data["upload"]
        if not isinstance(upload, UploadedFile):  # left as it is, or removed
            return upload
        if isinstance(upload.outcome, pictures.PictureRefused):
            raise forms.ValidationError(str(upload.outcome))
        self.prepared = upload.outcome
        return upload


class PictureAdmin(admin.ModelAdmin):
    """Keeps the picture of a PictureForm, and deletes pictures that nothing shows any more."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        # Before the desk opens its transaction: SQLite lets nobody else write until it ends, and a picture takes seconds.
        may_write = self.has_change_permission(request) or self.has_add_permission(request)
        if may_write and (upload := request.FILES.get("upload")):
            upload.outcome = outcome(upload)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request, obj, form, change):
        if form.prepared:
            obj.picture = pictures.keep(form.prepared, by=request.user)
        super().save_model(request, obj, form, change)
        pictures.discard_unused()

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        pictures.discard_unused()

    def delete_queryset(self, request, queryset):
        super().delete_queryset(request, queryset)
        pictures.discard_unused()


class FigureForm(MakesShortName, PictureForm, SharedForm):
    drawing = forms.ChoiceField(required=False, help_text="One of the site’s own drawings.")
    upload = picture_field("Picture")

    class Meta:
        model = Figure
        fields = ["title", "slug", "drawing", "alt", "long_description", "credit", "claim_refs"]
        widgets = {
            name: AdminTextInputWidget(attrs={"class": "vLargeTextField"}) for name in ("title", "alt", "credit")
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["drawing"].choices = self.drawing_choices(drawings(), "figures/", "No drawing")

    def clean(self):
        cleaned = super().clean()
        if self.prepared:
            self.instance.picture = Picture(
                digest=self.prepared.digest, width=self.prepared.width, height=self.prepared.height
            )
        elif "upload" in self.errors:
            self.instance.picture = Picture()  # refused with its own sentence; a second one would only confuse
        elif cleaned.get("upload") is False:
            self.instance.picture = None
        return cleaned

    def _post_clean(self):
        super()._post_clean()
        if not self.errors:
            try:
                self.instance.width, self.instance.height = self.instance.size_of_file()
            except ValueError as error:
                self.add_error("drawing", str(error))
        if self.errors and self.prepared:
            self.add_error("upload", CHOOSE_AGAIN)


@admin.register(Figure)
class FigureAdmin(PictureAdmin, SharedRecordAdmin):
    form = FigureForm
    list_display = ["title", "shows"]
    list_select_related = ["picture"]
    search_fields = ["title", "slug"]
    readonly_fields = ["now"]

    def get_fieldsets(self, request, obj=None):
        may_write = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        shown = ["drawing", *(["upload"] if may_write else []), "credit"]
        return [
            (None, {"fields": ["title", *(["now"] if obj else [])]}),
            ("What it shows: a drawing or a picture", {"fields": shown}),
            ("In words, for people who cannot see it", {"fields": ["alt", "long_description"]}),
            (None, {"fields": ["claim_refs", "slug", *KEPT_FIELDS]}),
        ]

    @admin.display(description="shows")
    def shows(self, figure):
        return "picture" if figure.picture else "drawing"

    @admin.display(description="current picture")
    def now(self, figure):
        # As it is stored, because the form may hold a picture that was refused.
        kept = Figure.objects.select_related("picture").get(pk=figure.pk)
        try:
            address = CurrentPicture(kept.picture).url if kept.picture else static(kept.drawing)
        except ValueError:
            return f"The drawing {kept.drawing} is missing."
        return format_html(
            '<img class="preview" src="{}" alt="{}" width="{}" height="{}"> {} × {} pixels, from the file',
            *(address, kept.alt, kept.width, kept.height, kept.width, kept.height),
        )
