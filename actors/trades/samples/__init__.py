"""What Warren ships to try its job types with: `clip`, twelve seconds of film, and `sales_data`, a shop's orders.

The film is a file that make_clip.py has made.  The orders are made when they are asked for (sales.py): with fixed
dates the reports of last month would be empty a month after a release.

    path = sample("clip")          # in a job: sales_data is written into its scratch folder
    path = sample("sales_data", folder)
"""

from actors.trades.samples.found import KNOWN, sample

__all__ = ["KNOWN", "sample"]
