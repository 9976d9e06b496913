"""redriving: dead letters become jobs again, one or by the thousand."""
