"""Make one film of another: the first so many seconds, in another format, at another size.

`look.py` opens what a stranger has sent, and refuses what is not a film; `transcode.py` goes through it once, picture
by picture (`pictures.py`) and sound by sound (`sound.py`), and never holds more of it than a few of them; `probe.py`
says of the result what a player will find.  `formats.py` is the table of what can be made.

FFmpeg reads what strangers made, in C: it runs in a child process (isolation), has a plain open file to read from and
no protocol, so no playlist or reference in a film leads it to another file or to the network.
"""
