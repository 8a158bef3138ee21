import { assert, describe, it } from "@effect/vitest"
import * as Schedules from "@optim/schedules"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Asked, describe as inWords, make, Recipe, resume } from "../recipe.ts"

const nothing: Asked = {
  optimizer: undefined,
  stepSize: undefined,
  schedule: undefined,
  epochs: undefined,
  batch: undefined,
  seed: undefined
}

const recipe: Recipe = { optimizer: "sgd", stepSize: 0.2, epochs: 4, batch: 16, seed: 5 }

const saved = { path: "run.safetensors", recipe }

const decay = Schedules.exponentialDecay({ stepSize: 0.5, decaySteps: 1000, decayRate: 0.5 })

describe("recipe", () => {
  describe("cases", () => {
    it.effect("without a word there is a default for everything", () =>
      Effect.gen(function* () {
        const expected: Recipe = { optimizer: "adam", stepSize: 0.003, epochs: 30, batch: 32, seed: 0 }
        assert.deepStrictEqual(yield* make(nothing), expected)
      })
    )
    it.effect("the step size suits the optimizer unless it is given", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* make({ ...nothing, optimizer: "sgd" })).stepSize, 0.5)
        assert.strictEqual((yield* make({ ...nothing, optimizer: "sgd", stepSize: 2 })).stepSize, 2)
      })
    )
    it.effect("a schedule begins with the step size that is given, or with the optimizer's", () =>
      Effect.gen(function* () {
        const asked: Asked = { ...nothing, optimizer: "sgd", schedule: "exponentialDecay" }
        assert.deepStrictEqual((yield* make(asked)).stepSize, decay)
        assert.deepStrictEqual((yield* make({ ...asked, stepSize: 2 })).stepSize, { ...decay, stepSize: 2 })
      })
    )
    it.effect("a run that is resumed without a word keeps its recipe", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* resume(nothing, saved), recipe)
      })
    )
    it.effect("a run that is resumed may be told what it was told before, and other epochs", () =>
      Effect.gen(function* () {
        const asked: Asked = { optimizer: "sgd", stepSize: 0.2, schedule: undefined, epochs: 9, batch: 16, seed: 5 }
        assert.deepStrictEqual(yield* resume(asked, saved), { ...recipe, epochs: 9 })
      })
    )
    it.effect("a run that is resumed refuses everything else, and says what it was", () =>
      Effect.gen(function* () {
        const asked: Asked = { optimizer: "adam", stepSize: 1, schedule: undefined, epochs: 9, batch: 2, seed: 6 }
        const error = yield* Effect.flip(resume(asked, saved))
        assert.strictEqual(
          error.message,
          "run.safetensors comes from a run with --optimizer sgd, --step-size 0.2, --batch 16, --seed 5: resume it so, or train anew"
        )
      })
    )
    it.effect("a schedule is shown as it can be given", () =>
      Effect.gen(function* () {
        const asked: Asked = { ...nothing, schedule: "constant" }
        const error = yield* Effect.flip(resume(asked, { ...saved, recipe: { ...recipe, stepSize: decay } }))
        const flag = `--schedule '${JSON.stringify(decay)}'`
        assert.strictEqual(error.message, `run.safetensors comes from a run with ${flag}: resume it so, or train anew`)
      })
    )
    it("a recipe can be read", () => {
      assert.strictEqual(inWords(recipe), "sgd, step size 0.2, batches of 16, 4 epochs")
      assert.strictEqual(
        inWords({ ...recipe, stepSize: decay, epochs: 1 }),
        "sgd, step size by ExponentialDecay, batches of 16, 1 epoch"
      )
    })
    it("a recipe goes through JSON unchanged", () => {
      const Json = Schema.fromJsonString(Recipe)
      const scheduled = { ...recipe, stepSize: decay }
      assert.deepStrictEqual(Schema.decodeSync(Json)(Schema.encodeSync(Json)(scheduled)), scheduled)
    })
  })
})
