"""Films that are odd become films that are not; what is no film, or is made to harm, is told in a sentence."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from actors.trades.samples import sample
from actors.trades.video.formats import FORMATS
from actors.trades.video.look import MOST_PIXELS, Unfit, look
from actors.trades.video.probe import Probe, probe
from actors.trades.video.transcode import Transcoding, Wanted
from tests.films import film, joined, seen

RED, GREEN = (200, 0, 0), (0, 200, 0)
CLIP = sample("clip")
FASTSTART = {"movflags": "+faststart"}  # with its index at the beginning


def made(
    source: Path, form: str = "mp4", *, most_pixels: int = MOST_PIXELS, **asked: float
) -> tuple[Path, Transcoding]:
    target = source.with_name(f"made.{form}")
    width = int(asked["width"]) if "width" in asked else None
    wanted = Wanted(FORMATS[form], asked.get("seconds"), width, most_pixels=most_pixels)
    making = Transcoding(source, look(source), target, wanted)
    for _ in making.steps():
        pass
    return target, making


@pytest.mark.parametrize(
    ("name", "form", "asked", "most"),
    [
        ("film.mp4", "mp4", None, 19),  # told by the header
        ("film.mkv", "mp4", None, 19),  # counted
        ("film.mkv", "gif", None, 19),  # which would leave pictures out
        ("film.mp4", "mp4", 2.0, 19),  # counted as far as is asked for
    ],
)
def test_a_film_of_too_many_pictures_is_ended_with_the_reason(
    tmp_path: Path, name: str, form: str, asked: float | None, most: int
) -> None:
    """
    Some kilobytes can hold millions of them, which nothing ended but the hour.
    """
    source, target = film(tmp_path / name, seconds=2.0), tmp_path / f"made.{form}"

    def transcoded(most_pictures: int, form: str = form) -> Transcoding:
        making = Transcoding(source, look(source), target, Wanted(FORMATS[form], asked, most_pictures=most_pictures))
        for _ in making.steps():
            pass
        return making

    with pytest.raises(Unfit, match=r"more than 19 pictures \(WARREN_VIDEO_MAX_PICTURES\); ask for a shorter"):
        transcoded(most)

    assert 20 == transcoded(20).pictures
    assert 0 == transcoded(1, "wav").pictures


def near(expected: tuple[int, int, int], found: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 60 for one, other in zip(expected, found, strict=True))


@pytest.mark.parametrize(
    ("form", "video", "audio"),
    [
        ("mp4", "h264", "aac"), ("mov", "h264", "aac"), ("mkv", "h264", "aac"), ("webm", "vp9", "opus"),
        ("gif", "gif", None), ("mp3", None, "mp3"), ("wav", None, "pcm_s16le"),
    ],
)  # fmt: skip
def test_every_format_is_made_and_has_what_was_asked_for(tmp_path: Path, form: str, video: str, audio: str) -> None:
    source = film(tmp_path / "film.mp4")
    target, making = made(source, form, seconds=1)
    found = probe(target)

    assert (video, audio) == (found.video_codec, found.audio_codec)
    assert 0.95 <= found.seconds <= 1.1
    assert (10 if video else 0) == found.frames
    assert 0 == making.damaged


def test_the_first_seconds_of_the_sample_are_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(CLIP.read_bytes())
    target, _ = made(tmp_path / "clip.mp4", seconds=1)

    assert Probe(1.0, 25, 640, 360, "h264", "aac") == probe(target)


def test_pictures_keep_their_own_times(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.15, 0.7, 0.71, 1.9]
    target, _ = made(film(tmp_path / "film.mkv", times=times, sound=None))

    assert times == pytest.approx(seen(target).times, abs=0.002)


def test_a_gap_of_a_year_costs_nothing(tmp_path: Path) -> None:
    """An even rate would need half a billion pictures to fill it."""
    year = 365 * 86_400.0
    target, _ = made(film(tmp_path / "film.mkv", times=[0.0, 0.1, year, year + 0.3], sound=None))

    assert [0.0, 0.1, 0.2, 0.5] == pytest.approx(seen(target).times, abs=0.01)


def test_a_gap_of_an_hour_is_kept(tmp_path: Path) -> None:
    target, _ = made(film(tmp_path / "film.mkv", times=[0.0, 0.1, 3_600.0], sound=None))

    assert [0.0, 0.1, 3_600.0] == pytest.approx(seen(target).times, abs=0.01)


def test_an_end_before_the_next_picture_is_kept(tmp_path: Path) -> None:
    target, _ = made(film(tmp_path / "film.mkv", times=[0.0, 0.1, 30_000_000.0], sound=None), seconds=5)

    assert [0.0, 0.1] == seen(target).times


@pytest.mark.parametrize(
    ("rotation", "size", "top_left"),
    [(0, (64, 48), GREEN), (90, (48, 64), RED), (180, (64, 48), RED), (-90, (48, 64), RED)],
)
def test_a_film_that_was_held_sideways_stands_upright(
    tmp_path: Path, rotation: int, size: tuple[int, int], top_left: tuple[int, int, int]
) -> None:
    target, _ = made(film(tmp_path / "film.mp4", rotation=rotation, sound=None))
    found = seen(target)

    assert {size} == found.sizes
    assert near(top_left, found.corners[0])


@pytest.mark.parametrize(
    ("size", "shape", "width", "expected"),
    [
        ((64, 48), None, 32, (32, 24)),
        ((64, 48), None, 640, (64, 48)),  # never larger than it was
        ((66, 50), None, 33, (32, 24)),
        ((64, 64), Fraction(2, 1), None, (128, 64)),  # wide pixels
        ((4000, 16), None, 100, (100, 2)),
        ((20_000, 16), None, None, (8_192, 6)),  # beyond what encoders take
    ],
)
def test_sizes_are_even_and_pixels_square(
    tmp_path: Path, size: tuple[int, int], shape: Fraction | None, width: int | None, expected: tuple[int, int]
) -> None:
    codec = "libx264" if size[0] < 8_192 else "png"
    source = film(
        tmp_path / "film.mov",
        codec=codec,
        takes="rgb24" if codec == "png" else "yuv420p",
        size=size,
        shape=shape,
        sound=None,
        seconds=0.3,
    )
    target, _ = made(source, **({"width": width} if width else {}))

    assert {expected} == seen(target).sizes


@pytest.mark.parametrize(
    ("name", "codec", "takes"),
    [
        ("film.mkv", "libx264", "yuv444p"), ("film.mkv", "libx264", "gray"), ("film.mkv", "libx264", "yuv420p10le"),
        ("film.mkv", "ffv1", "bgr0"), ("film.mov", "png", "rgba"), ("film.avi", "mpeg4", "yuv420p"),
        ("film.webm", "libvpx-vp9", "yuva420p"), ("film.mov", "mjpeg", "yuvj420p"), ("film.gif", "gif", "rgb8"),
    ],
)  # fmt: skip
def test_whatever_the_pictures_are_they_become_what_plays_everywhere(
    tmp_path: Path, name: str, codec: str, takes: str
) -> None:
    target, making = made(film(tmp_path / name, codec=codec, takes=takes, sound=None, seconds=0.5))
    found = look(target)

    assert found.picture is not None
    assert "h264" == found.picture.codec
    assert (5, 0) == (probe(target).frames, making.damaged)


def test_a_film_that_changes_half_way_keeps_its_first_size_and_sound(tmp_path: Path) -> None:
    parts = [
        film(tmp_path / "a.ts", seconds=1, sound=(44_100, "mono")),
        film(tmp_path / "b.ts", seconds=1, size=(128, 96), sound=(48_000, "stereo")),
    ]
    target, _ = made(joined(tmp_path / "film.ts", parts))
    found = seen(target)

    assert ({(64, 48)}, 44_100) == (found.sizes, found.sound_rate)
    assert 18 <= len(found.times) <= 20
    assert found.times[-1] == pytest.approx(1.9, abs=0.15)
    assert found.sound_seconds == pytest.approx(2.0, abs=0.15)


def test_a_film_that_grows_beyond_all_bounds_half_way_is_refused(tmp_path: Path) -> None:
    parts = [film(tmp_path / "a.ts", sound=None), film(tmp_path / "b.ts", sound=None, size=(128, 96))]
    joined(tmp_path / "film.ts", parts)

    with pytest.raises(Unfit, match=r"its pictures have 128 × 96 pixels|packets are damaged"):
        made(tmp_path / "film.ts", most_pixels=64 * 48)


def test_sound_is_cut_to_the_sample_and_starts_with_the_pictures(tmp_path: Path) -> None:
    target, _ = made(film(tmp_path / "film.ts"), "wav", seconds=1)  # whose clock starts at 1.4 s

    assert 1.0 == seen(target).sound_seconds


def test_a_film_without_sound_has_none(tmp_path: Path) -> None:
    target, _ = made(film(tmp_path / "film.mp4", sound=None))

    assert None is probe(target).audio_codec


@pytest.mark.parametrize(
    ("name", "codec", "sound", "form", "said"),
    [
        ("tone.mp3", "", (44_100, "mono"), "mp4", "there is no picture in it, so it cannot become mp4; mp3 and wav"),
        ("film.mp4", "libx264", None, "mp3", "there is no sound in it, so it cannot become mp3"),
    ],
)
def test_what_is_not_in_it_cannot_be_made_of_it(
    tmp_path: Path, name: str, codec: str, sound: tuple[int, str] | None, form: str, said: str
) -> None:
    with pytest.raises(Unfit, match=said):
        made(film(tmp_path / name, codec=codec, sound=sound), form)


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{path}\n#EXT-X-ENDLIST\n"
LOCAL = ("ffconcat version 1.0\nfile {path}\n", PLAYLIST, PLAYLIST.replace("{path}", "file://{path}"))


@pytest.mark.parametrize(
    "text",
    [
        "", "no film", "\0" * 4_096, "<svg xmlns='http://www.w3.org/2000/svg'/>", "RIFF\x00\x00\x00\x00WEBPVP8 ",
        *LOCAL, PLAYLIST.replace("{path}", "http://169.254.169.254/latest/meta-data/"),
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{path}</BaseURL></MPD>',
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["film.mp4", "film.m3u8"])
def test_what_is_no_film_is_told_and_leads_nowhere(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / name).write_text(text.replace("{path}", str(CLIP)))

    with pytest.raises(Unfit, match=r"^it is not a film: no mp4, mov"):
        look(tmp_path / name)


def test_a_picture_is_no_film(tmp_path: Path) -> None:
    source = film(tmp_path / "film.gif", codec="gif", takes="rgb8", sound=None, seconds=0.1)
    film(tmp_path / "still.png", codec="png", takes="rgb24", sound=None, seconds=0.1, options={"update": "1"})

    assert look(source).picture
    with pytest.raises(Unfit, match="not a film"):
        look(tmp_path / "still.png")


def test_a_film_that_breaks_off_says_where(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", seconds=4, options=FASTSTART).read_bytes()
    (tmp_path / "film.mp4").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(Unfit, match=r"it breaks off at \d\.\d s of the 4\.0 s that its header tells"):
        made(tmp_path / "film.mp4")


def test_what_breaks_off_behind_what_is_wanted_is_whole(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", seconds=4, options=FASTSTART).read_bytes()
    (tmp_path / "film.mp4").write_bytes(whole[: len(whole) * 3 // 4])
    target, _ = made(tmp_path / "film.mp4", seconds=1)

    assert 1.0 == pytest.approx(probe(target).seconds, abs=0.05)


def test_a_film_whose_index_never_came_is_none(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4").read_bytes()  # with its index at the end
    (tmp_path / "film.mp4").write_bytes(whole[: len(whole) * 3 // 4])

    with pytest.raises(Unfit, match="not a film"):
        look(tmp_path / "film.mp4")


def test_a_damaged_film_loses_what_is_damaged(tmp_path: Path) -> None:
    body = bytearray(film(tmp_path / "film.ts", seconds=4).read_bytes())
    for at in range(len(body) // 2, len(body) // 2 + 8_000, 400):
        body[at : at + 16] = b"\xff" * 16
    (tmp_path / "damaged.ts").write_bytes(body)
    target, _ = made(tmp_path / "damaged.ts")

    assert probe(target).frames > 20


def test_pictures_of_any_claimed_size_are_refused_before_they_are_made(tmp_path: Path) -> None:
    body = bytearray(film(tmp_path / "film.gif", codec="gif", takes="rgb8", sound=None, seconds=0.2).read_bytes())
    body[6:10] = b"\xff\xff\xff\xff"
    (tmp_path / "film.gif").write_bytes(body)

    with pytest.raises(Unfit, match="nothing in it can be decoded"):
        look(tmp_path / "film.gif")


def test_a_cover_is_no_film(tmp_path: Path) -> None:
    """As it is in most mp3 files of music."""
    tone = film(tmp_path / "tone.mp3", codec="", sound=(44_100, "mono"))
    png = film(tmp_path / "cover.png", codec="png", takes="rgb24", sound=None, seconds=0.1, options={"update": "1"})
    cover = b"\0image/png\0\x03\0" + png.read_bytes()
    frame = b"APIC" + len(cover).to_bytes(4, "big") + b"\0\0" + cover
    size = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    (tmp_path / "record.mp3").write_bytes(b"ID3\x03\0\0" + size + frame + tone.read_bytes())

    assert None is look(tmp_path / "record.mp3").picture


def test_more_bytes_than_are_kept_are_not_made(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4", seconds=10)
    making = Transcoding(source, look(source), tmp_path / "made.wav", Wanted(FORMATS["wav"], most_bytes=100_000))

    with pytest.raises(Unfit, match="more than 100000 bytes"):
        list(making.steps())


def test_steps_say_how_far_it_is(tmp_path: Path) -> None:
    source = film(tmp_path / "film.mp4")
    making = Transcoding(source, look(source), tmp_path / "made.mp4", Wanted(FORMATS["mp4"]))
    done = list(making.steps())

    assert done == sorted(done)
    assert 2.0 == pytest.approx(done[-1], abs=0.15)
    assert making.seconds == pytest.approx(2.0, abs=0.1)
