"""Memory: what a text gives is worked out once, within bounds."""

from oversight.features.memory import Memory


def test_a_text_is_worked_out_once_until_the_memory_is_emptied() -> None:
    """What is remembered is not worked out again, and the memory never holds more than it may."""
    asked: list[str] = []

    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    memory = Memory(length, kept=2, longest=10)
    assert [memory[text] for text in ("a", "a", "bb", "ccc", "a")] == [1, 1, 2, 3, 1]
    assert asked == ["a", "bb", "ccc", "a"]
    assert len(memory) <= 2


def test_long_texts_are_not_kept() -> None:
    """A text that is longer than hostile input should be able to fill memory with is worked out every time."""
    memory = Memory(len, kept=10, longest=3)
    assert memory["long text"] == 9
    assert not memory
