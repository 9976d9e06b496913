"""Backups: a database or a folder, packed on its way to where it is kept; and the way back.

**Promise.**  What is listed as a backup can be restored: its bytes are read again after they were written, and opened,
before the job completes.  A backup appears whole or not at all.  However large it is, some tens of megabytes of it are
in memory, and nothing on this machine's disk.

**The way of a backup.**  `dump` or `folder` is the source; `packing` compresses it with zstd and encrypts it with age;
`handover` brings the packed bytes from that thread to the loop, which puts them on the shelf (persistence/backups/);
`manifest` says what it is and is written last, so that what has none is no backup; `unpacking` opens it again;
`retention` deletes what is older.  `make` holds these together.  `restore` is the command that brings it back.

The formats are those of other tools, and a backup can be restored without Warren: `age --decrypt`, `zstd --decompress`,
`pg_restore` or `tar`.

**Failure modes.**  A program that fails, a store that is away: nothing is kept and the attempt fails with their words.
A process that is killed leaves at most an object without a manifest, which the next retention deletes.
"""
