"""Say a caption once more in words that claim the same: of another person, and with or without a full stop."""

import re

_SUBJECT = re.compile(
    r"^(?:(?:the|a|an|this|that|one) )?(?:[a-z]+ )?"
    r"(?:person|man|woman|figure|human|individual|someone|somebody|guy|he|she|sim|toon|character|lady|boy|girl|dude)\b"
    r"(?P<is> (?:is|was|appears to be|seems to be|looks to be)(?= [a-z]+ing\b))?",
    re.IGNORECASE,
)


def said_anew(caption: str) -> list[str]:
    """Return a caption, the same with and without a full stop, and of "a person" where it begins with somebody.

    What a reader takes for another claim in one of them is not in the words; `CaptionReader` believes the reading that
    has most in common with those of all.
    """
    own = caption.strip()
    plain = own.rstrip(". ")
    found = [own, plain, f"{plain}."]
    somebody = _SUBJECT.match(plain)
    if somebody:
        found.append(f"a person{' is' if somebody['is'] else ''}{plain[somebody.end() :]}")
    return list(dict.fromkeys(found))
