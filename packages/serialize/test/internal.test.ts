import { assert, describe, it } from "@effect/vitest"
import { bytesOf, elementsOf, hostIsLittleEndian, swapped } from "../src/internal/bytes.ts"
import { halfToNumber } from "../src/internal/floats.ts"
import { byCodePoint } from "../src/internal/headerWriter.ts"

describe("laws", () => {
  it("halfToNumber is exact for all finite halves: they increase in steps and mirror in sign", () => {
    for (let half = 0; half < 0x7c00; half++) {
      const value = halfToNumber(half)
      assert.isAbove(halfToNumber(half + 1), value)
      assert.strictEqual(halfToNumber(half | 0x8000), -value)
      assert.strictEqual(Math.fround(value), value)
    }
  })
})

describe("cases", () => {
  it("swapped reverses the bytes of each element, and does not touch its input", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    assert.deepStrictEqual(swapped(bytes, 4), Uint8Array.of(4, 3, 2, 1, 8, 7, 6, 5))
    assert.deepStrictEqual(swapped(bytes, 1), bytes)
    assert.strictEqual(bytes[0], 1)
  })

  it("elements and bytes are views of each other where the host is little-endian", () => {
    assert.isTrue(hostIsLittleEndian)
    const data = Int32Array.of(1, 256)
    assert.strictEqual(elementsOf(Int32Array, bytesOf(data, 4)).buffer, data.buffer)
    assert.deepStrictEqual(bytesOf(data, 4), Uint8Array.of(1, 0, 0, 0, 0, 1, 0, 0))
  })

  it("byCodePoint compares as UTF-8 bytes do", () => {
    assert.deepStrictEqual(["\u{1f600}", "\uff5e", "b", "ab", "a", ""].toSorted(byCodePoint), [
      "",
      "a",
      "ab",
      "b",
      "\uff5e",
      "\u{1f600}"
    ])
    assert.isAbove(byCodePoint("\u{1f600}b", "\u{1f600}a"), 0)
  })
})

describe("numbers", () => {
  it("halfToNumber gives the values of the standard's examples", () => {
    assert.deepStrictEqual(
      [0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3555, 0x3c00, 0x3c01, 0x7bff, 0x7c00, 0xfc00, 0x7e00].map(
        halfToNumber
      ),
      [0, -0, 2 ** -24, 2 ** -14 - 2 ** -24, 2 ** -14, 0.333251953125, 1, 1 + 2 ** -10, 65504, Infinity, -Infinity, NaN]
    )
  })
})
