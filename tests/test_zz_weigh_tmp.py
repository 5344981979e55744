import brotli, re, pytest
def w(b): return len(brotli.compress(b,mode=brotli.MODE_TEXT,quality=11))
@pytest.mark.django_db
def test_w(client):
    for p in ["/fact-sheets/tests-and-treatments/","/fact-sheets/about-back-pain/","/glossary/","/","/consultation/"]:
        b=client.get(p).content
        noj=re.sub(rb'<script type="application/ld\+json">.*?</script>',b"",b,flags=re.S)
        noh=re.sub(rb'\s*<(meta (property|name="twitter|name="theme)|link rel="(alternate|apple|canonical))[^>]*>',b"",b)
        print("V",p,"total",w(b),"jsonld",w(b)-w(noj),"head",w(b)-w(noh))
    assert 0
