"""Bits and Exp-Golomb numbers of parameter sets (ITU-T H.264 clause 9.1, H.265 clause 9.2)."""

from barnhand.core.errors import DamagedMediaError


class BitReader:
    """Reads an RBSP: emulation prevention bytes are removed on construction. Raises ``DamagedMediaError`` past the end."""

    def __init__(self, payload: bytes) -> None:
        data = payload.replace(b"\0\0\x03", b"\0\0")
        self._bits = len(data) * 8
        self._value = int.from_bytes(data, "big")
        self._at = 0

    def u(self, count: int) -> int:
        """``count`` bits as an unsigned number."""
        self._at += count
        if self._at > self._bits:
            raise DamagedMediaError("a parameter set ends early")
        return self._value >> (self._bits - self._at) & (1 << count) - 1

    def skip(self, count: int) -> None:
        """Pass over ``count`` bits."""
        self.u(count)

    def ue(self) -> int:
        """An unsigned Exp-Golomb number."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 32:
                raise DamagedMediaError("a parameter set holds a number that is too long")
        return (1 << zeros) - 1 + self.u(zeros) if zeros else 0

    def se(self) -> int:
        """A signed Exp-Golomb number."""
        number = self.ue()
        return (number + 1) // 2 if number & 1 else -(number // 2)
