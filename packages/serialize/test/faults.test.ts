/** Faults in small numbers; `pnpm test:faults` has the large ones. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { runFlips } from "./faults/flips.ts"
import { runFuzz } from "./faults/fuzz.ts"
import { runKills, startSource } from "./faults/kills.ts"
import { runStores } from "./faults/stores.ts"

describe("laws", () => {
  it("a process that is killed while it saves has lost nothing that it called saved", async () => {
    const directory = mkdtempSync(join(tmpdir(), "optim-kills-"))
    try {
      const { damaged, kills, lost } = await runKills(startSource, directory, 4, 1)
      assert.deepStrictEqual({ damaged, kills, lost }, { damaged: 0, kills: 4, lost: 0 })
    } finally {
      rmSync(directory, { recursive: true })
    }
  }, 120_000)

  it("a bit that is flipped anywhere is noticed, or is nowhere read", async () => {
    const { detected, flips, harmless, undetected } = await runFlips(150, 1)
    assert.deepStrictEqual({ undetected, all: detected + harmless }, { undetected: 0, all: flips })
    assert.ok(detected > flips / 2)
  }, 60_000)

  it("a store that vanishes, fails now and then, or is slow keeps its promises", async () => {
    for (const { isAsPromised, outcome, store } of await runStores(8, false)) {
      assert.ok(isAsPromised, `${store}: ${outcome}`)
    }
  }, 60_000)

  it("whatever is read gives a value or a typed error", async () => {
    const { crashes, inputs, refused, values } = await runFuzz(2000, 1)
    assert.deepStrictEqual({ crashes, all: refused + values }, { crashes: 0, all: inputs })
    assert.ok(values > 0 && refused > 0)
  }, 60_000)
})
