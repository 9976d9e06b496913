"""redriving: dead letters become jobs again, one or by the thousand.

`redrive` judges a letter as any submission is judged, `redrive_request` reads a filter so strictly that a typo does not
redrive everything, `redriver` works off the filters, each at its rate.  A run that its gateway did not live to end is
taken up by another one; what was redriven is not redriven again (persistence/letters/).
"""
