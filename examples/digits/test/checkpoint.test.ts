import { assert, describe, layer } from "@effect/vitest"
import { Tensors } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { Checkpoint as Library } from "@optim/serialize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Checkpoint from "../checkpoint.ts"
import type { Table } from "../data/table.ts"
import { init } from "../model.ts"
import * as Optimizers from "../optimizers.ts"
import { data, recipe, services, temporary } from "./support.ts"

const origin: Checkpoint.Origin = { recipe, rows: "these" }

const state = Effect.fnUntraced(function* (optimizer: Optimizers.AnyOptimizer, table?: Table) {
  const params = yield* Tensors.scoped(init(table ?? (yield* data).train, 1))
  return { params, state: yield* Tensors.scoped(optimizer.init(params)) }
})

/** A checkpoint after step 5. */
const saved = Effect.fnUntraced(function* () {
  const path = yield* temporary("run.safetensors")
  const optimizer = Optimizers.make(recipe.optimizer)
  yield* Checkpoint.save(path, { optimizer, step: 5, ...(yield* state(optimizer)) }, origin)
  return path
})

/** The message of the failure, without the directory. */
const refusal = <A, R>(effect: Effect.Effect<A, { readonly message: string }, R>) =>
  Effect.map(Effect.flip(effect), ({ message }) => message.replace(/\S*\/(?=run)/, ""))

layer(Layer.mergeAll(services, Cpu.layer))("checkpoint", (it) => {
  describe("laws", () => {
    it.effect("what was saved is read back", () =>
      Effect.gen(function* () {
        const path = yield* saved()
        const found = yield* Checkpoint.read(path)
        assert.deepStrictEqual([found.path, found.recipe, found.rows], [path, recipe, "these"])
        assert.strictEqual(found.checkpoint.step, 5)
        const optimizer = Optimizers.make(recipe.optimizer)
        const { params } = yield* state(optimizer)
        const { state: again, step } = yield* Checkpoint.restore(found, { optimizer, params, rows: "these" })
        yield* Tensors.scoped(Effect.succeed(again))
        assert.strictEqual(step, 5)
        assert.deepStrictEqual(optimizer.params(again).hidden.weights.dataSync(), params.hidden.weights.dataSync())
      })
    )
  })

  describe("cases", () => {
    it.effect("read refuses a file that is not there", () =>
      Effect.gen(function* () {
        const path = yield* temporary("run.safetensors")
        assert.strictEqual(yield* refusal(Checkpoint.read(path)), "cannot resume from run.safetensors: no such file")
      })
    )
    it.effect("read refuses a file that was cut off", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* saved()
        yield* fs.writeFile(path, (yield* fs.readFile(path)).subarray(0, 100))
        assert.strictEqual(
          yield* refusal(Checkpoint.read(path)),
          "cannot resume from run.safetensors: it is not a checkpoint, or it is damaged"
        )
      })
    )
    it.effect("read refuses a checkpoint of another program", () =>
      Effect.gen(function* () {
        const path = yield* temporary("run.safetensors")
        const optimizer = Optimizers.make(recipe.optimizer)
        yield* Library.save(path, { optimizer, step: 5, ...(yield* state(optimizer)) })
        assert.strictEqual(
          yield* refusal(Checkpoint.read(path)),
          "cannot resume from run.safetensors: it was not written by this program"
        )
      })
    )
    it.effect("restore refuses other rows", () =>
      Effect.gen(function* () {
        const found = yield* Checkpoint.read(yield* saved())
        const optimizer = Optimizers.make(recipe.optimizer)
        const target = { optimizer, rows: "those", ...(yield* state(optimizer)) }
        assert.strictEqual(
          yield* refusal(Checkpoint.restore(found, target)),
          "cannot resume from run.safetensors: it was trained on other rows"
        )
      })
    )
    it.effect("restore says all that does not fit another optimizer and another model", () =>
      Effect.gen(function* () {
        const found = yield* Checkpoint.read(yield* saved())
        const optimizer = Optimizers.make([{ name: "sgd", options: { stepSize: 0.1 } }])
        const { train } = yield* data
        const target = { optimizer, rows: "these", ...(yield* state(optimizer, { ...train, classes: [0, 1] })) }
        const message = yield* refusal(Checkpoint.restore(found, target))
        assert.match(message, /^cannot resume from run\.safetensors: optimizer: expected sgd, found adam; /)
        assert.include(message, "expected float32 [2], found nothing")
        assert.notInclude(message, "\n")
      })
    )
    it.effect("save refuses a place where no file can be", () =>
      Effect.gen(function* () {
        const path = yield* temporary("nowhere/run.safetensors")
        const optimizer = Optimizers.make(recipe.optimizer)
        const saving = Checkpoint.save(path, { optimizer, step: 5, ...(yield* state(optimizer)) }, origin)
        assert.strictEqual((yield* Effect.flip(saving)).message, `cannot write ${path}: no such file`)
      })
    )
  })
})
