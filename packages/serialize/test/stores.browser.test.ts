/** The stores of a browser, in a browser. */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointManager, CheckpointStore, Item } from "@optim/serialize"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { storeLaws } from "./storeLaws.ts"

const fresh = () => `test-${crypto.randomUUID()}`

storeLaws(
  "a private file system",
  Layer.unwrap(
    Effect.sync(() =>
      CheckpointStore.layerOpfs({
        directory: async () => (await navigator.storage.getDirectory()).getDirectoryHandle(fresh(), { create: true })
      })
    )
  )
)

storeLaws("a database", Layer.unwrap(Effect.sync(() => CheckpointStore.layerIndexedDb({ database: fresh() }))))

describe("cases", () => {
  it.live("a run is saved in the browser's own store, and is there for the next page", () =>
    Effect.gen(function* () {
      const items = { n: Item.json(Schema.Int) }
      const save = Effect.gen(function* () {
        const manager = yield* CheckpointManager.make({ items, retention: { last: 2 } })
        for (const n of [1, 2, 3]) {
          yield* manager.save(n, { n })
          yield* manager.flush
        }
      })
      const restore = Effect.gen(function* () {
        const manager = yield* CheckpointManager.make({ items })
        return [yield* manager.steps, (yield* manager.restore()).items.n]
      })
      const apart = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        effect.pipe(Effect.scoped, Effect.provide(Layer.fresh(CheckpointStore.layerBrowser)))
      yield* apart(save)
      assert.deepStrictEqual(yield* apart(restore), [[2, 3], 3])
    })
  )
})
