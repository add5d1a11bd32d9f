"""`python -m turing`."""

import sys

if __name__ == "__main__":
    try:
        from turing.cli import main

        main()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "turing":
            raise
        sys.exit(f"Python at {sys.executable} has no {error.name}: pip install -r requirements.txt")
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
