from tests.conftest import consultation
from enquiries.models import Enquiry


def test_a(db):
    e = consultation()
    e = Enquiry.objects.get(pk=e.pk)
    print(e.name)
    assert e.name == "Ada Example"
