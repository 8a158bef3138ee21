/** The checked allocator: it throws where tfjs would write over somebody else's numbers. */
import { assert, describe, it } from "@effect/vitest"
import { checked, OutOfMemoryDefect } from "../src/internal/tfjs/allocation.ts"
import { message, thrown } from "./support/thrown.ts"

/** An allocator that answers always the same, and what it was asked for. */
const answering = (address: number) => {
  const requests: Array<number> = []
  const allocate = (bytes: number): number => {
    requests.push(bytes)
    return address
  }
  return { allocate, requests }
}

describe("cases", () => {
  it("hands on the request and the address", () => {
    const { allocate, requests } = answering(4096)
    assert.strictEqual(checked(allocate)(64), 4096)
    assert.deepStrictEqual(requests, [64])
  })

  it("an address above 2 GiB comes as a negative number and is one", () => {
    assert.strictEqual(checked(answering(-4096).allocate)(64), -4096)
  })

  it("address 0 is a failure, unless nothing was asked for", () => {
    const { allocate } = answering(0)
    const error = thrown(() => checked(allocate)(64))
    assert.instanceOf(error, OutOfMemoryDefect)
    assert.strictEqual(error.requestedBytes, 64)
    assert.strictEqual(
      message(() => checked(allocate)(64)),
      "no room for 64 bytes"
    )
    assert.strictEqual(checked(allocate)(0), 0)
  })

  it("more than 32 bits of bytes is a failure, and is never asked for", () => {
    const { allocate, requests } = answering(4096)
    for (const bytes of [2 ** 32, 2 ** 32 + 64, 2 ** 50])
      assert.strictEqual((thrown(() => checked(allocate)(bytes)) as OutOfMemoryDefect).requestedBytes, bytes)
    assert.deepStrictEqual(requests, [])
    assert.strictEqual(checked(allocate)(2 ** 32 - 1), 4096)
  })

  it("checking twice is checking once", () => {
    const once = checked(answering(4096).allocate)
    assert.strictEqual(checked(once), once)
  })
})
