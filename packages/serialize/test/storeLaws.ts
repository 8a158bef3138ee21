/** The laws that every store keeps: objects whole or not at all, names that stay inside. */
import { assert, describe, it } from "@effect/vitest"
import { CheckpointStore } from "@optim/serialize"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

const { CheckpointStore: Service } = CheckpointStore

const readAll = (store: CheckpointStore.Store, name: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { read, size } = yield* store.open(name)
      const bytes = new Uint8Array(size)
      yield* read(0, bytes)
      return bytes
    })
  )

const sorted = (store: CheckpointStore.Store) => Effect.map(store.list, (names) => names.toSorted())

const bytes = (...values: ReadonlyArray<number>) => Stream.make(Uint8Array.from(values))

/** Tries the laws on a store, which the layer makes anew each time. */
export const storeLaws = (title: string, layer: Layer.Layer<CheckpointStore.CheckpointStore, unknown>): void => {
  const live = <A, E>(name: string, effect: (store: CheckpointStore.Store) => Effect.Effect<A, E>) =>
    it.live(name, () => Effect.provide(Service.use(effect), layer))

  describe(`laws of ${title}`, () => {
    live("what is put is read, whole and by range", (store) =>
      Effect.gen(function* () {
        const big = Uint8Array.from({ length: 4_500_001 }, (_, index) => (index * 31) >> 3)
        yield* store.put(
          "a/big.bin",
          Stream.make(big.subarray(0, 5), big.subarray(5, 4_000_000), big.subarray(4_000_000))
        )
        assert.deepStrictEqual(yield* readAll(store, "a/big.bin"), big)
        const { read, size } = yield* store.open("a/big.bin")
        assert.strictEqual(size, big.length)
        for (const [from, to] of [
          [0, 1],
          [4_194_300, 4_194_310],
          [4_499_000, 4_500_001],
          [4_500_001, 4_500_001]
        ] as const) {
          const part = new Uint8Array(to - from)
          yield* read(from, part)
          assert.deepStrictEqual(part, big.subarray(from, to))
        }
        const error = yield* Effect.flip(read(4_500_000, new Uint8Array(2)))
        assert.deepStrictEqual([error.reason, error.name], ["Truncated", "a/big.bin"])
      }).pipe(Effect.scoped)
    )

    live("an object is replaced, listed and removed; what is below a name goes with it", (store) =>
      Effect.gen(function* () {
        yield* store.put("a/x", bytes(1))
        yield* store.put("a/x", bytes(2, 3))
        yield* store.put("a/y", Stream.empty)
        yield* store.put("ab", bytes(4))
        assert.deepStrictEqual(yield* readAll(store, "a/x"), Uint8Array.of(2, 3))
        assert.deepStrictEqual(yield* readAll(store, "a/y"), new Uint8Array())
        assert.deepStrictEqual(yield* sorted(store), ["a/x", "a/y", "ab"])
        yield* store.remove("a")
        yield* store.remove("a")
        yield* store.remove("none/at/all")
        assert.deepStrictEqual(yield* sorted(store), ["ab"])
        assert.strictEqual((yield* Effect.flip(store.open("a/x").pipe(Effect.scoped))).reason, "NotFound")
      })
    )

    live("of those who put an object only if there is none, one succeeds", (store) =>
      Effect.gen(function* () {
        const put = (value: number) => Effect.exit(store.put("lease", bytes(value), { ifAbsent: true }))
        const exits = yield* Effect.forEach([1, 2, 3, 4], put, { concurrency: "unbounded" })
        assert.strictEqual(exits.filter((exit) => exit._tag === "Success").length, 1)
        const error = yield* Effect.flip(store.put("lease", bytes(5), { ifAbsent: true }))
        assert.strictEqual(error.reason, "AlreadyExists")
        assert.deepStrictEqual(
          [...(yield* readAll(store, "lease"))],
          [exits.findIndex((exit) => exit._tag === "Success") + 1]
        )
      })
    )

    live("a put that fails or is interrupted leaves what was there, and nothing else", (store) =>
      Effect.gen(function* () {
        const half = Stream.concat(Stream.make(new Uint8Array(5_000_000)), Stream.fail("stopped" as const))
        yield* store.put("kept", bytes(7))
        assert.strictEqual(yield* Effect.flip(store.put("kept", half)), "stopped")
        assert.strictEqual(yield* Effect.flip(store.put("new", half)), "stopped")
        const begun = yield* Deferred.make<void>()
        const stuck = Stream.concat(
          bytes(1),
          Stream.fromEffect(Effect.andThen(Deferred.succeed(begun, undefined), Effect.never))
        )
        const fiber = yield* Effect.forkChild(store.put("kept", stuck))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* readAll(store, "kept"), Uint8Array.of(7))
        assert.deepStrictEqual(yield* store.list, ["kept"])
        yield* store.sweep
        assert.deepStrictEqual(yield* readAll(store, "kept"), Uint8Array.of(7))
      })
    )

    live("names stay inside", (store) =>
      Effect.gen(function* () {
        const names = [
          "",
          ".",
          "..",
          "../x",
          "a/../b",
          "/x",
          "a//b",
          "a/",
          ".aside/x",
          "a\\b",
          "c:x",
          "a\0b",
          "é",
          "a/b.",
          "x".repeat(300)
        ]
        for (const name of names) {
          for (const attempt of [store.put(name, bytes(1)), Effect.scoped(store.open(name)), store.remove(name)]) {
            assert.strictEqual((yield* Effect.flip(Effect.andThen(attempt, Effect.void))).reason, "InvalidName", name)
          }
        }
        assert.deepStrictEqual(yield* store.list, [])
      })
    )
  })
}
