"""How often SCRAM may have a password hashed: the server says, and nothing can end the hashing once it has begun."""

MOST_ROUNDS = 1_000_000
"""Half a second or so. PostgreSQL asks for 4,096 by default, MongoDB for 15,000."""

_MOST_DIGITS = len(str(MOST_ROUNDS))


def why_too_many(rounds: bytes) -> str | None:
    """What to say of a server that asks for so many; None where that many are made."""
    digits = rounds.strip().lstrip(b"+").replace(b"_", b"").lstrip(b"0")  # as Python's int() reads them
    if digits.isdigit() and (len(digits) > _MOST_DIGITS or int(digits) > MOST_ROUNDS):
        asked = f"{int(digits):,}" if len(digits) <= 2 * _MOST_DIGITS else "more than a trillion"
        return f"its password authentication (SCRAM) asks for {asked} rounds; more than {MOST_ROUNDS:,} are not made"
    return None
