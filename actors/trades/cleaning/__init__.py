"""Deleting old files: below named roots, never by a way out of them.

**Promise.**  Nothing outside of `WARREN_CLEANUP_ROOTS` is deleted, whatever a payload says and whatever lies or is
moved about below a root while the walk goes on: folders are opened one below the other by their descriptors and never
through a symbolic link, and a name is deleted in the folder that was opened.

**The way of a cleaning.**  trades/folders.py opens the folder that a payload names; `sorts` says of a file whether it
goes; `walk` goes through all that is below and keeps the `account` of what went and what could not.

**Failure modes.**  What cannot be deleted is told and the walk goes on.  A cancelled walk has deleted what it had come
to.  A second one finds the rest.
"""
