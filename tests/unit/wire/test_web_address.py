"""One article has one address, however it is written; and the address of an address is itself."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as some

from wire.errors import Refused
from wire.web_address import MOST_CHARACTERS, canonical, host_of

SPELLINGS = {
    "https://example.org/": "https://example.org/",
    "HTTPS://Example.ORG": "https://example.org/",
    " https://example.org/\n": "https://example.org/",
    "https://exam\tple.org/a\r\nb": "https://example.org/ab",
    "https://example.org:443/a": "https://example.org/a",
    "http://example.org:0080/a": "http://example.org/a",
    "http://example.org:443/a": "http://example.org:443/a",
    "https://example.org:/a": "https://example.org/a",
    "https://example.org./a": "https://example.org/a",
    "https://example.org?b=1": "https://example.org/?b=1",
    "https://example.org/a#part": "https://example.org/a",
    "https://example.org/a?#part": "https://example.org/a",
    "https://example.org/a?b=2&a=1": "https://example.org/a?b=2&a=1",
    "https://example.org/a?utm_source=x&b=2&UTM_medium=y&fbclid=z": "https://example.org/a?b=2",
    "https://example.org/a?%75tm_source=x": "https://example.org/a",
    "https://example.org/a?pk_id=1&pk_kwd=x&&": "https://example.org/a?pk_id=1",
    "https://example.org/a?ref=front&source=rss": "https://example.org/a?ref=front&source=rss",
    "https://example.org/%7Euser/%41%2f%e4": "https://example.org/~user/A%2F%E4",
    "https://example.org/100%/%zz": "https://example.org/100%25/%25zz",
    "https://example.org/%%341": "https://example.org/%2541",
    "https://example.org/straße?q=grün weiß": "https://example.org/stra%C3%9Fe?q=gr%C3%BCn%20wei%C3%9F",
    "https://example.org/a/./b/../c/%2e%2e/d/.": "https://example.org/a/d/",
    "https://example.org/../../etc": "https://example.org/etc",
    "https://example.org/.well-known/a": "https://example.org/.well-known/a",
    "https://example.org/a//b/": "https://example.org/a//b/",
    "https://example.org\\a\\b": "https://example.org/a/b",
    "https://münchen.example/": "https://xn--mnchen-3ya.example/",
    "https://MÜNCHEN.example./": "https://xn--mnchen-3ya.example/",
    "https://日本語。jp/": "https://xn--wgv71a119e.jp/",
    "https://%65xample.org/": "https://example.org/",
    "http://2130706433/": "http://127.0.0.1/",
    "http://0x7f.1:8080/": "http://127.0.0.1:8080/",
    "http://0177.0.0.1/": "http://127.0.0.1/",
    "http://１２７.0.0.1/": "http://127.0.0.1/",
    "http://[0:0:0:0:0:0:0:1]/": "http://[::1]/",
    "http://under_score.example/": "http://under_score.example/",
}
NO_ADDRESSES = [
    "", "example.org", "//example.org/", "https:example.org", "ftp://example.org/", "javascript:alert(1)", "file:///etc",
    "https://", "https:///a", "https://:80/", "https://exam ple.org/", "https://example.org:0/", "https://a:65536/",
    "https://example.org:port/", "https://user:secret@example.org/", "https://-a.example/", "https://a..example/",
    "http://256.1.1.1/", "http://1.2.3.4.5/", "http://08.1/", "http://[::1/", "http://[fe80::1%25eth0]/",
    "http://[1::2::3]/", "https://😀.example/", "https://%ff.example/", "https://a%00.example/", "https://" + "a" * 64,
    "https://a\ud800.example/", "https://127.0.0.1\ud800%2e/", "https://example.org/" + "a" * MOST_CHARACTERS,
]  # fmt: skip


@pytest.mark.parametrize(("said", "spelled"), SPELLINGS.items())
def test_an_address_has_one_spelling(said: str, spelled: str) -> None:
    assert spelled == canonical(said)


@pytest.mark.parametrize("said", NO_ADDRESSES)
def test_what_is_no_address_is_refused_by_its_field_and_with_a_remedy(said: str) -> None:
    with pytest.raises(Refused) as refused:
        canonical(said)

    assert "url" == refused.value.field
    assert refused.value.remedy
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "party"),
    [
        ("https://Example.org:443/a?b", "https://example.org"),
        ("http://example.org:8080/", "http://example.org:8080"),
        ("http://[::1]:8080/a/b", "http://[::1]:8080"),
    ],
)
def test_the_party_that_is_asked_is_scheme_name_and_port(said: str, party: str) -> None:
    assert party == host_of(said)


@settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    some.sampled_from(["http", "https", "HTTP"]),
    some.sampled_from(["example.org", "EXAMPLE.org.", "münchen.example", "1.2.3", "[::ffff:1.2.3.4]", "a.b:8080"])
    | some.text(max_size=12),
    some.text(max_size=40),
)
@example("https", "a", "/%%341?%%375tm_x&#")
@example("https", "a", "/\ud800?\udfff")
def test_the_spelling_of_a_spelling_is_itself(scheme: str, host: str, rest: str) -> None:
    try:
        spelled = canonical(f"{scheme}://{host}{rest}")
    except Refused:
        assume(condition=False)

    assert spelled == canonical(spelled)
    assert spelled.isascii()
    assert spelled.startswith(host_of(spelled) + "/")
