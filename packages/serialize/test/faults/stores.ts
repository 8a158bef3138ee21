/** Stores that are full, read-only, gone, slow, or fail now and then. */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { CheckpointManager, CheckpointStore, type SaveFailed, StoreError } from "@optim/serialize"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { makeRandom } from "./random.ts"
import { items, lease, noTensors, shardSize, valuesAt } from "./run.ts"

/** What happened to one kind of store. */
export interface StoreReport {
  readonly store: string
  readonly outcome: string
  readonly isAsPromised: boolean
}

const options = { items, shardSize, lease, retry: Schedule.recurs(20) }

const onFiles = (directory: string) =>
  Layer.merge(CheckpointStore.layerFiles(directory).pipe(Layer.provide(NodeServices.layer)), noTensors)

const reasonOf = ({ reason }: SaveFailed): string =>
  reason instanceof StoreError ? `StoreError ${reason.reason}` : reason._tag

/** Are all checkpoints that are there sound, and the latest this one? */
const intact = Effect.fnUntraced(function* (latest: number) {
  const reader = yield* CheckpointManager.make({ ...options, readOnly: true })
  const steps = yield* reader.steps
  yield* Effect.forEach(steps, reader.verify, { discard: true })
  return steps.at(-1) === latest && (yield* reader.restore()).step === latest
})

/** Saves one after the other until one fails. */
const saveUntilFailure = Effect.fnUntraced(function* (
  manager: CheckpointManager.CheckpointManager<typeof items>,
  from: number
) {
  for (let step = from; step < from + 100; step++) {
    yield* manager.save(step, valuesAt(step))
    const exit = yield* Effect.result(manager.flush)
    if (exit._tag === "Failure") return { step, reason: reasonOf(exit.failure) }
  }
  return { step: from + 100, reason: "nothing failed" }
})

/** Whether this machine lets us mount file systems. */
const mounted = (directory: string, run: () => Promise<ReadonlyArray<StoreReport>>) => {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", directory], { stdio: "ignore" })
  } catch {
    return Promise.resolve([
      { store: "full or read-only disk", outcome: "not run: mounting is not allowed here", isAsPromised: true }
    ])
  }
  return run().finally(() => execFileSync("umount", ["-l", directory]))
}

const full = (directory: string) =>
  Effect.gen(function* () {
    const manager = yield* CheckpointManager.make(options)
    const { reason, step } = yield* saveUntilFailure(manager, 1)
    const isIntact = yield* intact(step - 1)
    return {
      store: "a disk that is full (tmpfs of 4 MB)",
      outcome: `step ${step} of ${shardSize * 5} bytes: ${reason}; ${step - 1} earlier ones ${isIntact ? "intact" : "LOST"}`,
      isAsPromised: reason === "StoreError NoSpace" && isIntact && step > 1
    }
  }).pipe(Effect.scoped, Effect.provide(onFiles(directory)), Effect.runPromise)

const readOnly = (directory: string) =>
  Effect.gen(function* () {
    const manager = yield* CheckpointManager.make(options)
    const latest = (yield* manager.steps).at(-1) ?? 0
    execFileSync("mount", ["-o", "remount,ro", directory])
    const { reason } = yield* saveUntilFailure(manager, latest + 1)
    const isIntact = yield* intact(latest)
    return {
      store: "a disk that becomes read-only",
      outcome: `${reason}; earlier ones ${isIntact ? "intact" : "LOST"}`,
      isAsPromised: reason === "StoreError Denied" && isIntact
    }
  }).pipe(Effect.scoped, Effect.provide(onFiles(directory)), Effect.runPromise)

const vanishing = (directory: string) =>
  Effect.gen(function* () {
    const manager = yield* CheckpointManager.make(options)
    yield* manager.save(1, valuesAt(1))
    yield* manager.flush
    rmSync(directory, { recursive: true })
    const { reason } = yield* saveUntilFailure(manager, 2)
    return { store: "a directory that vanishes", outcome: reason, isAsPromised: reason === "StoreError NotFound" }
  }).pipe(Effect.scoped, Effect.provide(onFiles(directory)), Effect.runPromise)

const wrapped = (wrap: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreError, R>) =>
  Layer.effect(
    CheckpointStore.CheckpointStore,
    Effect.map(CheckpointStore.CheckpointStore, (real): CheckpointStore.Store => ({
      ...real,
      put: (name, content, putOptions) =>
        name === "lease.json" ? real.put(name, content, putOptions) : wrap(real.put(name, content, putOptions)),
      open: (name) => (name === "lease.json" ? real.open(name) : wrap(real.open(name))),
      list: wrap(real.list),
      remove: (name) => wrap(real.remove(name))
    }))
  ).pipe(Layer.provide(CheckpointStore.layerMemory), Layer.merge(noTensors))

const flaky = (saves: number) => {
  const random = makeRandom(5)
  const failing = new StoreError({ operation: "put", name: "", reason: "Unknown", detail: "injected" })
  const wrap = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StoreError, R> =>
    Effect.suspend((): Effect.Effect<A, E | StoreError, R> => (random(10) < 3 ? Effect.fail(failing) : effect))
  return Effect.gen(function* () {
    const manager = yield* CheckpointManager.make({ ...options, retention: { last: 3 } })
    for (let step = 1; step <= saves; step++) {
      yield* manager.save(step, valuesAt(step))
      yield* manager.flush
    }
    const isIntact = yield* intact(saves)
    const outcome = `${saves} saves, none failed; the latest ${isIntact ? "intact" : "LOST"}`
    return { store: "a store of which three operations in ten fail", outcome, isAsPromised: isIntact }
  }).pipe(Effect.scoped, Effect.provide(wrapped(wrap)), Effect.runPromise)
}

const slow = (saves: number) =>
  Effect.gen(function* () {
    const manager = yield* CheckpointManager.make(options)
    for (let step = 1; step <= saves; step++) {
      yield* manager.save(step, valuesAt(step))
      yield* Effect.sleep("5 millis")
    }
    yield* manager.flush
    const steps = yield* manager.steps
    const isIntact = yield* intact(saves)
    const outcome = `of ${saves} saves, one every 5 ms, ${steps.length} were written, the latest among them`
    return {
      store: "a store that takes 30 ms for each operation",
      outcome,
      isAsPromised: isIntact && steps.length < saves
    }
  }).pipe(Effect.scoped, Effect.provide(wrapped((effect) => Effect.delay(effect, "30 millis"))), Effect.runPromise)

/** Saves to each kind of store; `mounts` tries file systems of their own, which takes rights. */
export const runStores = async (saves: number, mounts: boolean): Promise<ReadonlyArray<StoreReport>> => {
  const directory = mkdtempSync(join(tmpdir(), "optim-stores-"))
  try {
    const disks = mounts ? await mounted(directory, async () => [await full(directory), await readOnly(directory)]) : []
    return [...disks, await vanishing(join(directory, "gone")), await flaky(saves), await slow(saves)]
  } finally {
    rmSync(directory, { recursive: true })
  }
}
