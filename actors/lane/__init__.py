"""The one asyncio loop on which a process takes jobs, does them and settles them; how much it holds, what goes first.

`lane` joins what the other files decide each alone; attempts/ is what it does with a job that was granted.
"""
