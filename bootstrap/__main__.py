"""`python -m bootstrap`, which `./pico` becomes."""

from bootstrap.garbage import start

if __name__ == "__main__":
    start()
    from bootstrap.program import main

    main()
