"""entrance: what every request passes before anybody reads what it wants."""
