"""What a job works on, as a file: `bring` has it there, wherever it comes from.

**Promise.**  A file in the attempt's own folder (or one that Warren ships), not larger than was allowed, and never
wholly in memory.  Whatever cannot be had is told by the name of the payload's field.
"""
