"""Bytes become the text that their author wrote, whatever the server says about them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.trades.reading.encodings import decode

SENTENCES = {
    "cp1252": "L’été dernier, les élèves ont dîné à côté de l’hôtel où ça s’est passé. ",
    "iso8859-2": "Zażółć gęślą jaźń, powiedział łódzki żołnierz wśród drzew. ",
    "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy v městě. ",
    "cp1251": "Это статья о погоде в Москве и о том, как живут люди. ",
    "koi8-r": "Это статья о погоде в Москве и о том, как живут люди. ",
    "iso8859-7": "Αυτό είναι ένα άρθρο για τον καιρό στην Αθήνα σήμερα. ",
    "cp1255": "זהו מאמר על מזג האוויר בתל אביב היום ",
    "shift_jis": "これは日本語の記事です。今日は東京で雨が降りました。",
    "euc_jp": "これは日本語の記事です。今日は東京で雨が降りました。",
    "gb18030": "这是一篇关于天气的文章，今天北京下雨了，人们都在家里。",
    "big5": "這是一篇關於天氣的文章，今天臺北下雨了，人們都在家裡。",
    "euc_kr": "이것은 날씨에 관한 기사입니다. 오늘 서울에 비가 왔습니다. ",
}


def page(encoding: str, head: str = "") -> bytes:
    return f"<html><head>{head}</head><body><p>{SENTENCES[encoding] * 20}</p></body></html>".encode(encoding)


@pytest.mark.parametrize("encoding", SENTENCES)
def test_what_the_header_says(encoding: str) -> None:
    found = decode(page(encoding), f"text/html; charset={encoding}")

    assert (True, "header", 0) == (SENTENCES[encoding] in found.text, found.known_by, found.replaced)


@pytest.mark.parametrize("encoding", SENTENCES)
def test_what_the_document_says(encoding: str) -> None:
    found = decode(page(encoding, f'<meta charset="{encoding}">'), "text/html")

    assert (True, "meta") == (SENTENCES[encoding] in found.text, found.known_by)


@pytest.mark.parametrize("encoding", SENTENCES)
def test_what_nobody_says(encoding: str) -> None:
    found = decode(page(encoding), None)

    assert (True, "detected") == (SENTENCES[encoding] in found.text, found.known_by)


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_a_mark_is_believed_before_the_header(mark: str) -> None:
    found = decode("<p>où ça</p>".encode(mark), "text/html; charset=iso-8859-1")

    assert ("<p>où ça</p>", "bom") == (found.text, found.known_by)


def test_utf_8_is_utf_8_whatever_the_server_says() -> None:
    found = decode("<p>où ça se passe</p>".encode(), "text/html; charset=ISO-8859-1")

    assert ("<p>où ça se passe</p>", "bytes") == (found.text, found.known_by)


def test_utf_8_that_was_cut_is_utf_8() -> None:
    body = "<p>où ça se passe, été</p>".encode()

    found = decode(body[: body.rindex(b"\xa9")], "text/html; charset=ISO-8859-1")

    assert ("bytes", 1) == (found.known_by, found.replaced)


def test_a_header_of_utf_16_is_believed_without_a_mark() -> None:
    assert "<p>où</p>" == decode("<p>où</p>".encode("utf-16-le"), "text/html; charset=utf-16").text


def test_a_document_that_can_be_read_is_not_utf_16() -> None:
    assert "<meta charset=utf-16><p>ou</p>" == decode(b"<meta charset=utf-16><p>ou</p>").text


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "idna", "rot13", "zlib", "undefined", "nonsense"])
def test_what_is_no_encoding_of_documents_is_not_believed(charset: str) -> None:
    assert "<p>+ADw-b\\u0041</p>" == decode(b"<p>+ADw-b\\u0041</p>", f"text/html; charset={charset}").text


def test_what_cannot_be_decoded_is_counted() -> None:
    found = decode(b"<p>\xff\xfe\xfd</p>" + "日本語の記事".encode("shift_jis"), "text/html; charset=utf-8")

    assert found.replaced > 3


@given(st.binary(max_size=300), st.none() | st.text(max_size=30))
def test_any_bytes_have_a_text(body: bytes, content_type: str | None) -> None:
    assert isinstance(decode(body, content_type).text, str)
