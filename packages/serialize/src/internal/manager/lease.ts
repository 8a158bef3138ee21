/**
 * The lease of a store: who holds it may write.
 *
 * It is an object `lease.json`, put only if there is none, and written anew every third of its duration. Whoever finds one
 * watches it for that long: if it changes, its holder is alive and has it; if it does not, the holder is dead and the lease
 * is taken. So clocks need not agree. A holder looks whether the lease is still its own before it makes a checkpoint visible.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Store } from "../../CheckpointStore.ts"
import { LeaseLost, type StoreError, StoreInUse } from "../../SerializeError.ts"

const leaseName = "lease.json"

/** The most that is read of what should be a lease. */
const maxSize = 10_000

const Holder = Schema.Struct({
  token: Schema.String,
  /** Who that is, for people. */
  holder: Schema.String,
  renewals: Schema.Natural
})

const json = Schema.fromJsonString(Schema.toCodecJson(Holder))

type Holder = typeof Holder.Type

const contentOf = (holder: Holder): Stream.Stream<Uint8Array> =>
  Stream.make(new TextEncoder().encode(Schema.encodeSync(json)(holder)))

/** The text of the lease, or nothing where there is none. */
const readText = Effect.fnUntraced(function* (
  store: Store
): Effect.fn.Return<string | undefined, StoreError, Scope.Scope> {
  const opened = yield* Effect.result(store.open(leaseName))
  if (Result.isFailure(opened)) return opened.failure.reason === "NotFound" ? undefined : yield* opened.failure
  const { read, size } = opened.success
  const bytes = new Uint8Array(Math.min(size, maxSize))
  yield* read(0, bytes)
  return new TextDecoder().decode(bytes)
}, Effect.scoped)

const parse = (text: string | undefined): Holder | undefined =>
  text === undefined ? undefined : Result.getOrUndefined(Schema.decodeResult(json)(text))

/** A lease that is held. */
export interface Lease {
  /** Fails with `LeaseLost` if somebody else has it. */
  readonly check: Effect.Effect<void, LeaseLost | StoreError>
}

/** Waits until the lease changes or its duration is over; the text that is then there. */
const watch = Effect.fnUntraced(function* (store: Store, text: string, duration: Duration.Duration) {
  const started = yield* Clock.currentTimeMillis
  const pause = Duration.millis(Math.max(1, Duration.toMillis(duration) / 10))
  let seen: string | undefined = text
  while (seen === text && (yield* Clock.currentTimeMillis) - started <= Duration.toMillis(duration)) {
    yield* Effect.sleep(pause)
    seen = yield* readText(store)
  }
  return seen
})

/** Puts the lease, or finds out that somebody else is alive. */
const take = Effect.fnUntraced(function* (
  store: Store,
  own: Holder,
  duration: Duration.Duration
): Effect.fn.Return<void, StoreInUse | StoreError> {
  for (;;) {
    const taken = yield* Effect.result(store.put(leaseName, contentOf(own), { ifAbsent: true }))
    if (Result.isSuccess(taken)) return
    if (taken.failure.reason !== "AlreadyExists") return yield* taken.failure
    const text = yield* readText(store)
    if (text === undefined) continue
    const seen = yield* watch(store, text, duration)
    if (seen === undefined) continue
    if (seen !== text) {
      return yield* new StoreInUse({ location: store.location, holder: parse(seen)?.holder ?? "" })
    }
    yield* store.remove(leaseName)
  }
})

/** Holds the lease until the scope closes. */
export const acquire = Effect.fnUntraced(function* (
  store: Store,
  holder: string,
  duration: Duration.Duration
): Effect.fn.Return<Lease, StoreInUse | StoreError, Scope.Scope> {
  const token = globalThis.crypto.randomUUID()
  let renewals = 0
  const check = Effect.gen(function* () {
    const found = parse(yield* readText(store))
    if (found?.token !== token) {
      return yield* new LeaseLost({ location: store.location, holder: found?.holder ?? "" })
    }
  })
  const renewed = Effect.andThen(
    check,
    Effect.suspend(() => store.put(leaseName, contentOf({ token, holder, renewals: ++renewals })))
  )
  const released = Effect.andThen(check, store.remove(leaseName))
  yield* Effect.acquireRelease(take(store, { token, holder, renewals }, duration), () => Effect.ignore(released))
  const pause = Duration.millis(Duration.toMillis(duration) / 3)
  // What a renewal fails with is found by the next check.
  yield* Effect.forkScoped(Effect.repeat(Effect.delay(Effect.ignore(renewed), pause), Schedule.forever))
  return { check }
})
