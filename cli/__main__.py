"""Entry point of ``python -m cli``."""

from cli.app import nlp

if __name__ == "__main__":
    nlp(prog_name="nlp")
