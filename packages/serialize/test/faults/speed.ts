/** What saving and loading cost, against writing, reading and copying the same bytes by hand. */
import { mkdtempSync, rmSync } from "node:fs"
import { open } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Tensors } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import { CheckpointManager, CheckpointStore, Item } from "@optim/serialize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { noTensors } from "./run.ts"

/** Two times and how they compare. */
export interface SpeedReport {
  readonly what: string
  readonly ours: string
  readonly theirs: string
  readonly ratio: number
  readonly bar: string
}

const pieceSize = 4 << 20

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await run()
  return performance.now() - started
}

const makeTree = (megabytes: number): ReadonlyArray<Float32Array> =>
  Array.from({ length: megabytes / 10 }, (_, index) => new Float32Array(2_500_000).fill(index + 0.1))

const bytesOf = ({ buffer, byteLength, byteOffset }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength)

const writeRaw = async (path: string, tree: ReadonlyArray<Float32Array>): Promise<void> => {
  const file = await open(path, "w")
  for (const array of tree) {
    const bytes = bytesOf(array)
    for (let at = 0; at < bytes.length; at += pieceSize)
      await file.write(bytes, at, Math.min(pieceSize, bytes.length - at))
  }
  await file.sync()
  await file.close()
}

const readRaw = async (path: string, tree: ReadonlyArray<Float32Array>): Promise<void> => {
  const file = await open(path, "r")
  for (const { byteLength } of tree) {
    const bytes = new Uint8Array(byteLength)
    for (let at = 0; at < bytes.length; at += pieceSize)
      await file.read(bytes, at, Math.min(pieceSize, bytes.length - at))
  }
  await file.close()
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`

const onFiles = (directory: string) =>
  Layer.merge(CheckpointStore.layerFiles(directory).pipe(Layer.provide(NodeServices.layer)), noTensors)

interface Times {
  readonly save: number
  readonly load: number
  readonly writeRaw: number
  readonly readRaw: number
}

/** One round: by hand and by the manager, each on files of its own. */
const round = async (directory: string, tree: ReadonlyArray<Float32Array>): Promise<Times> => {
  const path = join(directory, "raw")
  const raw = { write: await timed(() => writeRaw(path, tree)), read: await timed(() => readRaw(path, tree)) }
  rmSync(path)
  const ours = await Effect.gen(function* () {
    const manager = yield* CheckpointManager.make({ items: { tree: Item.tree(tree) } })
    yield* manager.save(1, { tree })
    const [save] = yield* Effect.timed(manager.flush)
    const [load] = yield* Effect.timed(manager.restore())
    return { save: Duration.toMillis(save), load: Duration.toMillis(load) }
  }).pipe(Effect.scoped, Effect.provide(onFiles(join(directory, "store"))), Effect.runPromise)
  rmSync(join(directory, "store"), { recursive: true })
  return { ...ours, writeRaw: raw.write, readRaw: raw.read }
}

const throughput = async (megabytes: number, rounds: number): Promise<ReadonlyArray<SpeedReport>> => {
  const directory = mkdtempSync(join(tmpdir(), "optim-speed-"))
  const tree = makeTree(megabytes)
  const times: Array<Times> = []
  for (let index = 0; index < rounds; index++) times.push(await round(directory, tree))
  rmSync(directory, { recursive: true })
  // a disk is fast and slow by turns, so what is compared is compared within a round
  const row = (what: string, ours: keyof Times, theirs: keyof Times) => ({
    what,
    ours: seconds(median(times.map((one) => one[ours]))),
    theirs: seconds(median(times.map((one) => one[theirs]))),
    ratio: median(times.map((one) => one[theirs] / one[ours])),
    bar: "≥ 0.8"
  })
  return [
    row(`save ${megabytes} MB, with checksums and sync, against writing them with sync`, "save", "writeRaw"),
    row(`load ${megabytes} MB, checked, against reading them`, "load", "readRaw")
  ]
}

/** How long a save keeps training waiting, against copying the state. */
const pause = (megabytes: number, rounds: number): Promise<SpeedReport> =>
  Effect.gen(function* () {
    const tensors = yield* Tensors.Tensors
    const arrays = makeTree(megabytes)
    const tree = yield* Effect.forEach(arrays, (data) => tensors.make({ shape: [data.length], data }))
    const manager = yield* CheckpointManager.make({ items: { tree: Item.tree(tree) }, retention: { last: 1 } })
    const copies: Array<number> = []
    const pauses: Array<number> = []
    for (let step = 0; step < rounds; step++) {
      let started = performance.now()
      const copied = arrays.map((array) => array.slice())
      copies.push(performance.now() - started)
      if (copied.length === 0) return yield* Effect.die("a copy that is used cannot be left out")
      started = performance.now()
      yield* manager.save(step, { tree })
      pauses.push(performance.now() - started)
      yield* manager.flush
    }
    const [ours, theirs] = [median(pauses), median(copies)]
    return {
      what: `pause for the snapshot of ${megabytes} MB on wasm, against a copy of the same arrays`,
      ours: `${ours.toFixed(1)} ms`,
      theirs: `${theirs.toFixed(1)} ms`,
      ratio: median(pauses.map((each, index) => each / (copies[index] ?? NaN))),
      bar: "≤ 1.5"
    }
  }).pipe(Effect.scoped, Effect.provide([Wasm.layer, CheckpointStore.layerMemory]), Effect.runPromise)

/** The most that the process grows by while something runs. */
const growth = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<number, E, R> => {
  const measured = Effect.suspend(() => {
    const before = process.memoryUsage.rss()
    let most = before
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss())
    }, 2)
    return Effect.ensuring(
      effect,
      Effect.sync(() => clearInterval(timer))
    ).pipe(Effect.map(() => most - before))
  })
  // what is garbage is given back before
  return Effect.sync(() => globalThis.gc?.()).pipe(Effect.andThen(Effect.sleep("1 second")), Effect.andThen(measured))
}

/** How much memory saving and loading take beyond the tensors and their snapshot. */
export const runMemory = async (megabytes: number): Promise<ReadonlyArray<string>> => {
  const directory = mkdtempSync(join(tmpdir(), "optim-memory-"))
  const tree = makeTree(megabytes)
  const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
  const rows = await Effect.gen(function* () {
    const manager = yield* CheckpointManager.make({ items: { tree: Item.tree(tree) } })
    yield* manager.save(1, { tree })
    const saving = yield* growth(manager.flush)
    const loading = yield* growth(manager.restore())
    return [
      `saving ${megabytes} MB: ${mega(saving)} beyond the tensors and their snapshot`,
      `loading ${megabytes} MB: ${mega(loading - megabytes * 1e6)} beyond the tensors`
    ]
  }).pipe(Effect.scoped, Effect.provide(onFiles(directory)), Effect.runPromise)
  rmSync(directory, { recursive: true })
  return rows
}

/** All measurements. */
export const runSpeed = async (megabytes: number, rounds: number): Promise<ReadonlyArray<SpeedReport>> => [
  ...(await throughput(megabytes, rounds)),
  await pause(100, 2 * rounds)
]
