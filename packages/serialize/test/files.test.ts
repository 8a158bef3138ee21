/** Cases: what happens to files when saving goes well, fails, or is interrupted. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import { Optimizer } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { Checkpoint, Params } from "@optim/serialize"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { systemError, type SystemErrorTag } from "effect/PlatformError"
import * as fc from "fast-check"
import { piecesOf } from "../src/internal/pieces.ts"
import { small } from "./support.ts"

const failure = (method: string, _tag: SystemErrorTag) =>
  Effect.fail(systemError({ _tag, module: "FileSystem", method, description: "injected" }))

/** The file system with some of its parts replaced; `file` replaces parts of the files that are opened. */
const altered = (
  change: Partial<FileSystem.FileSystem>,
  file: (real: FileSystem.File) => Partial<FileSystem.File> = () => ({})
) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (real) => {
      const open: FileSystem.FileSystem["open"] = (path, options) =>
        Effect.map(real.open(path, options), (opened) => {
          const { readAlloc, read, seek, stat, sync, truncate, write, writeAll } = opened
          const bound = {
            stat,
            sync,
            seek: seek.bind(opened),
            read: read.bind(opened),
            readAlloc: readAlloc.bind(opened),
            truncate: truncate.bind(opened),
            write: write.bind(opened),
            writeAll: writeAll.bind(opened)
          }
          return { [FileSystem.FileTypeId]: FileSystem.FileTypeId, ...bound, ...file(opened) }
        })
      return { ...real, open, ...change }
    })
  )

const elements = 700_000

/** A directory with a file in it, and a run whose checkpoint takes several writes. */
const scene = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const path = `${directory}/run.safetensors`
  yield* fs.writeFile(path, small())
  const optimizer = Optimizer.sgd({ stepSize: 0.1 })
  const state = yield* optimizer.init({ w: new Float32Array(elements) })
  const run = { optimizer, step: 1, state }
  const untouched = Effect.gen(function* () {
    assert.deepStrictEqual(yield* fs.readDirectory(directory), ["run.safetensors"])
    assert.deepStrictEqual(new Uint8Array(yield* fs.readFile(path)), small())
  })
  return { directory, fs, path, run, untouched }
})

describe("laws", () => {
  it("pieces are the same bytes in pieces of one size", () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 6 })
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 7 }), (chunks, size) => {
        const pieces = [...piecesOf(chunks, size)].length
        const seen: Array<number> = []
        for (const piece of piecesOf(chunks, size)) seen.push(...piece)
        assert.deepStrictEqual(
          seen,
          chunks.flatMap((chunk) => [...chunk])
        )
        assert.strictEqual(pieces, Math.ceil(seen.length / size))
      })
    )
  })
})

describe("cases", () => {
  layer(Layer.merge(Cpu.layer, NodeServices.layer), { excludeTestServices: true })((it) => {
    it.effect("save makes a new file or takes the place of an old one, and leaves nothing beside it", () =>
      Effect.gen(function* () {
        const { directory, fs, path, run } = yield* scene
        yield* Checkpoint.save(path, run)
        yield* Checkpoint.save(`${directory}/new.safetensors`, run)
        assert.deepStrictEqual((yield* fs.readDirectory(directory)).toSorted(), ["new.safetensors", "run.safetensors"])
        assert.deepStrictEqual(yield* fs.readFile(path), yield* fs.readFile(`${directory}/new.safetensors`))
        assert.deepStrictEqual(new Uint8Array(yield* fs.readFile(path)), yield* Checkpoint.encode(run))
        assert.strictEqual((yield* Checkpoint.read(path)).step, 1)
      })
    )

    it.effect("write and read are save and load without tensors", () =>
      Effect.gen(function* () {
        const { path, run } = yield* scene
        const checkpoint = yield* Checkpoint.take(run)
        yield* Checkpoint.write(path, checkpoint)
        assert.deepStrictEqual(Checkpoint.toBytes(yield* Checkpoint.read(path)), Checkpoint.toBytes(checkpoint))
      })
    )

    it.effect("the file is synced before its name is changed, and the directory after it", () =>
      Effect.gen(function* () {
        const { fs, path, run } = yield* scene
        const calls: Array<string> = []
        const rename: FileSystem.FileSystem["rename"] = (from, to) =>
          Effect.andThen(
            Effect.sync(() => calls.push("rename")),
            fs.rename(from, to)
          )
        const logged = altered({ rename }, (file) => ({
          writeAll: (bytes) =>
            Effect.andThen(
              Effect.sync(() => calls.push("write")),
              file.writeAll(bytes)
            ),
          sync: Effect.andThen(
            Effect.sync(() => calls.push("sync")),
            file.sync
          )
        }))
        yield* Effect.provide(Checkpoint.save(path, run), logged)
        assert.deepStrictEqual(calls, ["write", "write", "write", "sync", "rename", "sync"])
      })
    )

    const disturbed = {
      "opening fails": altered({ open: () => failure("open", "PermissionDenied") }),
      "the disk is full after the first write": altered({}, (file) => {
        let writes = 0
        return { writeAll: (bytes) => (writes++ === 0 ? file.writeAll(bytes) : failure("writeAll", "WriteZero")) }
      }),
      "the sync fails": altered({}, () => ({ sync: failure("sync", "Unknown") })),
      "the rename fails": altered({ rename: () => failure("rename", "Busy") })
    }
    for (const [what, services] of Object.entries(disturbed)) {
      it.effect(`when ${what}, the old file is intact and nothing is beside it`, () =>
        Effect.gen(function* () {
          const { path, run, untouched } = yield* scene
          const error = yield* Effect.flip(Effect.provide(Checkpoint.save(path, run), services))
          assert.strictEqual(error._tag, "PlatformError")
          yield* untouched
          const params = yield* Effect.flip(
            Effect.provide(Params.save(path, run.optimizer.params(run.state)), services)
          )
          assert.strictEqual(params._tag, "PlatformError")
          yield* untouched
        })
      )
    }

    it.effect("when the directory is gone, the error says so", () =>
      Effect.gen(function* () {
        const { directory, run } = yield* scene
        const error = yield* Effect.flip(Checkpoint.save(`${directory}/gone/run.safetensors`, run))
        assert.strictEqual(error._tag === "PlatformError" && error.reason._tag, "NotFound")
      })
    )

    it.effect("a temporary file of somebody else is not removed", () =>
      Effect.gen(function* () {
        const { fs, path, run } = yield* scene
        const removed: Array<string> = []
        const services = altered({
          open: () => failure("open", "AlreadyExists"),
          remove: (path, options) =>
            Effect.andThen(
              Effect.sync(() => removed.push(path)),
              fs.remove(path, options)
            )
        })
        yield* Effect.flip(Effect.provide(Checkpoint.save(path, run), services))
        assert.deepStrictEqual(removed, [])
      })
    )

    it.effect("interrupted while it writes, save finishes that write, and the old file is intact", () =>
      Effect.gen(function* () {
        const { path, run, untouched } = yield* scene
        const begun = yield* Deferred.make<void>()
        const resume = yield* Deferred.make<void>()
        const events: Array<string> = []
        const services = altered({}, (file) => ({
          writeAll: (bytes) =>
            Effect.gen(function* () {
              events.push("begin")
              yield* Deferred.succeed(begun, undefined)
              yield* Deferred.await(resume)
              yield* file.writeAll(bytes)
              events.push("end")
            })
        }))
        const fiber = yield* Effect.forkChild(Effect.provide(Checkpoint.save(path, run), services))
        yield* Deferred.await(begun)
        const stopping = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
        yield* Deferred.succeed(resume, undefined)
        yield* Fiber.join(stopping)
        assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
        assert.deepStrictEqual(events, ["begin", "end"])
        yield* untouched
      })
    )

    it.effect("load of a file that is not there fails with the error of the file system", () =>
      Effect.gen(function* () {
        const { directory, run } = yield* scene
        const path = `${directory}/none.safetensors`
        const checkpoint = yield* Effect.flip(Checkpoint.load(path, { optimizer: run.optimizer, params: { w: 0 } }))
        assert.strictEqual(checkpoint._tag, "PlatformError")
        assert.strictEqual((yield* Effect.flip(Params.load(path)))._tag, "PlatformError")
      })
    )

    it.effect("load fails on a file of somebody else, and says which file it is", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const { path, run } = yield* scene
        const target = { optimizer: run.optimizer, params: { w: 0 } }
        const foreign = [
          '  manifest.format   expected "optim.checkpoint"   found nothing',
          "Read what the same function of this library wrote; if it did, the copy is damaged or comes from a newer version."
        ]
        assert.strictEqual(
          (yield* Effect.flip(Checkpoint.load(path, target))).message,
          [`Checkpoint.load: "${path}" is not a sound checkpoint`, ...foreign].join("\n")
        )
        assert.strictEqual(
          (yield* Effect.flip(Checkpoint.read(path))).message,
          [`Checkpoint.read: "${path}" is not a sound checkpoint`, ...foreign].join("\n")
        )
        yield* fs.writeFileString(path, "this is a plain text file")
        const text = [
          `Safetensors.decode: "${path}" is not a valid safetensors file`,
          "  byte 0   expected the length of a header, at most 17   found 2338328219631577204",
          "This is not a safetensors file, or its first bytes are damaged: look whether it is the right file."
        ].join("\n")
        assert.strictEqual((yield* Effect.flip(Checkpoint.load(path, target))).message, text)
        assert.strictEqual((yield* Effect.flip(Params.load(path))).message, text)
      })
    )

    it.effect("load fails on what does not fit, and says which file it is", () =>
      Effect.gen(function* () {
        const { path, run } = yield* scene
        yield* Checkpoint.save(path, run)
        const checkpoint = yield* Effect.flip(Checkpoint.load(path, { optimizer: run.optimizer, params: { w: 0 } }))
        assert.strictEqual(
          checkpoint.message,
          [
            `Checkpoint.load: the checkpoint in "${path}" does not fit`,
            `  ['w']   expected float32 []   found float32 [${elements}]`,
            "Make the optimizer and the parameters as they were made for the run that wrote it."
          ].join("\n")
        )
        const params = yield* Effect.flip(Params.load(path, { like: { w: 0 } }))
        assert.strictEqual(
          params.message,
          [
            `Params.load: the checkpoint in "${path}" does not fit`,
            `  ['w']   expected float32 []   found float32 [${elements}]`,
            "Give `like` the structure, shapes and dtypes that were saved; { convertFloats: true } takes F16, BF16 and F64."
          ].join("\n")
        )
      })
    )
  })
})
