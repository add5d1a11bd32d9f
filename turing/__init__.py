"""The colorization Turing test: studies in which people tell originals from colorizations."""
