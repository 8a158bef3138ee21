import { assert, describe, layer } from "@effect/vitest"
import * as Schedules from "@optim/schedules"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { rateOf } from "../optimizers.ts"
import { type Asked, describe as inWords, make, Recipe, resume } from "../recipe.ts"
import { services } from "./support.ts"

const nothing: Asked = {
  optimizer: undefined,
  options: undefined,
  chain: undefined,
  stepSize: undefined,
  schedule: undefined,
  epochs: undefined,
  batch: undefined,
  seed: undefined
}

const of = (name: string, options: Recipe["optimizer"][number]["options"]) => [{ name, options }]

const recipe: Recipe = { optimizer: of("sgd", { stepSize: 0.2 }), epochs: 4, batch: 16, seed: 5 }

const saved = { path: "run.safetensors", recipe }

const decay = Schedules.exponentialDecay({ stepSize: 0.5, decaySteps: 1000, decayRate: 0.5 })

const decayJson = Schema.encodeSync(Schema.toCodecJson(Schedules.Schedule))(decay)

const scheduled: Recipe = { ...recipe, optimizer: of("sgd", { stepSize: decayJson }) }

const chained: Recipe = {
  ...recipe,
  optimizer: [
    { name: "clipByGlobalNorm", options: { maxNorm: 1 } },
    {
      name: "multiSteps",
      options: { everyKSchedule: 4 },
      inner: [{ name: "adamw", options: { learningRate: 0.01, weightDecay: 0.1 } }]
    }
  ]
}

const chain =
  '[{"clipByGlobalNorm":{"maxNorm":1}},{"multiSteps":{"everyKSchedule":4,"inner":[{"adamw":{"weightDecay":0.1}}]}}]'

/** The step size in the recipe that is asked for. */
const stepSize = (asked: Partial<Asked>) =>
  Effect.map(make({ ...nothing, ...asked }), ({ optimizer: [only] }) => only && rateOf(only))

/** The flags that a refusal names, and who resumes is told nothing else. */
const refused = (asked: Partial<Asked>, from: Recipe = recipe) =>
  Effect.map(Effect.flip(resume({ ...nothing, ...asked }, { ...saved, recipe: from })), ({ message }) => {
    const [, flags] = /^run\.safetensors comes from a run with (.*): resume it so, or train anew$/.exec(message) ?? []
    return flags ?? message
  })

layer(services)("recipe", (it) => {
  describe("cases", () => {
    it.effect("without a word there is a default for everything", () =>
      Effect.gen(function* () {
        const expected: Recipe = { optimizer: of("adam", { stepSize: 0.003 }), epochs: 30, batch: 32, seed: 0 }
        assert.deepStrictEqual(yield* make(nothing), expected)
      })
    )
    it.effect("the step size suits the optimizer unless it is given, by a flag or as an option", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* stepSize({ optimizer: "sgd" }), 0.5)
        assert.strictEqual(yield* stepSize({ optimizer: "sgd", stepSize: 2 }), 2)
        assert.strictEqual(yield* stepSize({ optimizer: "sgd", options: '{"stepSize":2}' }), 2)
        assert.strictEqual(yield* stepSize({ optimizer: "transform.sgd", options: '{"learningRate":2}' }), 2)
      })
    )
    it.effect("a schedule begins with the step size that is given, or with the optimizer's", () =>
      Effect.gen(function* () {
        const asked = { optimizer: "sgd", schedule: "exponentialDecay" }
        assert.deepStrictEqual(yield* stepSize(asked), decayJson)
        assert.deepStrictEqual(yield* stepSize({ ...asked, stepSize: 2 }), { ...decay, stepSize: 2 })
      })
    )
    it.effect("what a schedule in the options leaves out is filled in", () =>
      Effect.gen(function* () {
        const options = '{"learningRate":{"_tag":"LinearSchedule","initValue":1,"endValue":0,"transitionSteps":9}}'
        const expected = Schedules.linearSchedule({ initValue: 1, endValue: 0, transitionSteps: 9 })
        assert.deepStrictEqual(yield* stepSize({ optimizer: "lion", options }), { ...expected })
      })
    )
    it.effect("a chain has the step size that is given where it leaves one open", () =>
      Effect.gen(function* () {
        const { optimizer } = yield* make({ ...nothing, chain, stepSize: 0.01 })
        assert.deepStrictEqual(optimizer, chained.optimizer)
      })
    )
    it.effect("a run that is resumed without a word keeps its recipe", () =>
      Effect.gen(function* () {
        for (const kept of [recipe, scheduled, chained])
          assert.deepStrictEqual(yield* resume(nothing, { ...saved, recipe: kept }), kept)
      })
    )
    it.effect("a run that is resumed may be told what it was told before, and other epochs", () =>
      Effect.gen(function* () {
        const asked = { ...nothing, optimizer: "sgd", stepSize: 0.2, epochs: 9, batch: 16, seed: 5 }
        assert.deepStrictEqual(yield* resume(asked, saved), { ...recipe, epochs: 9 })
        const options = { ...nothing, options: '{"stepSize":0.2}', epochs: 9 }
        assert.deepStrictEqual(yield* resume(options, saved), { ...recipe, epochs: 9 })
        const again = yield* resume({ ...nothing, chain, stepSize: 0.01 }, { ...saved, recipe: chained })
        assert.deepStrictEqual(again, chained)
      })
    )
    it.effect("a run that is resumed refuses everything else, and says what it was", () =>
      Effect.gen(function* () {
        assert.strictEqual(
          yield* refused({ optimizer: "adam", stepSize: 1, epochs: 9, batch: 2, seed: 6 }),
          "--optimizer sgd, --step-size 0.2, --batch 16, --seed 5"
        )
        assert.strictEqual(yield* refused({ optimizer: "transform.sgd" }), "--optimizer sgd")
        const lion = { ...recipe, optimizer: of("lion", { learningRate: 0.1, b1: 0.8 }) }
        assert.strictEqual(yield* refused({ options: '{"b1":0.7}' }, lion), `--options '{"b1":0.8}'`)
        assert.strictEqual(yield* refused({ options: '{"b1":0.8,"learningRate":1}' }, lion), "--step-size 0.1")
        const whole =
          '[{"clipByGlobalNorm":{"maxNorm":1}},{"multiSteps":{"everyKSchedule":4,"inner":[{"adamw":{"learningRate":0.01,"weightDecay":0.1}}]}}]'
        for (const asked of [{ stepSize: 1 }, { optimizer: "sgd" }, { chain, stepSize: 1 }, { chain }])
          assert.strictEqual(yield* refused(asked, chained), `--chain '${whole}'`)
      })
    )
    it.effect("a chain contradicts an optimizer, and a part of a chain alone is a chain", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* refused({ chain }), "--optimizer sgd")
        const only = { ...recipe, optimizer: of("scaleByLearningRate", { learningRate: 0.1 }) }
        assert.strictEqual(
          yield* refused({ stepSize: 1 }, only),
          `--chain '[{"scaleByLearningRate":{"learningRate":0.1}}]'`
        )
        const asked = { ...nothing, chain: '["scaleByLearningRate"]', stepSize: 0.1 }
        assert.deepStrictEqual(yield* resume(asked, { ...saved, recipe: only }), only)
      })
    )
    it.effect("what cannot be is said of the optimizer that is resumed", () =>
      Effect.gen(function* () {
        const rprop = { ...recipe, optimizer: of("rprop", { learningRate: 0.1 }) }
        const error = yield* Effect.flip(resume({ ...nothing, schedule: "constant" }, { ...saved, recipe: rprop }))
        assert.match(error.message, /^--optimizer rprop: rprop: expected learningRate to be a number, found \{/)
      })
    )
    it.effect("a chain that is shown can be given", () =>
      Effect.gen(function* () {
        const shown = /^--chain '(.*)'$/.exec(yield* refused({ stepSize: 1 }, chained))?.[1]
        assert.deepStrictEqual((yield* make({ ...nothing, chain: shown })).optimizer, chained.optimizer)
      })
    )
    it.effect("a schedule is shown as it can be given", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* refused({ schedule: "constant" }, scheduled), `--schedule '${JSON.stringify(decay)}'`)
      })
    )
    it("a recipe can be read", () => {
      assert.strictEqual(inWords(recipe), "sgd, step size 0.2, batches of 16, 4 epochs")
      assert.strictEqual(
        inWords({ ...scheduled, epochs: 1 }),
        "sgd, step size by ExponentialDecay, batches of 16, 1 epoch"
      )
      assert.strictEqual(
        inWords(chained),
        "clipByGlobalNorm (maxNorm 1) + multiSteps (everyKSchedule 4) of [adamw (weightDecay 0.1)], step size 0.01, batches of 16, 4 epochs"
      )
      assert.strictEqual(
        inWords(chained, { short: true }),
        "clipByGlobalNorm + multiSteps of [adamw], step size 0.01, batches of 16, 4 epochs"
      )
    })
    it("a recipe goes through JSON unchanged", () => {
      const Json = Schema.fromJsonString(Recipe)
      for (const kept of [recipe, scheduled, chained])
        assert.deepStrictEqual(Schema.decodeSync(Json)(Schema.encodeSync(Json)(kept)), kept)
    })
    it("a recipe of which no optimizer can be made is refused", () => {
      const decode = Schema.decodeUnknownExit(Recipe)
      for (const optimizer of [[], of("sgd", {}), of("nothing", {}), of("lion", { learningRate: "fast" })])
        assert.strictEqual(decode({ ...recipe, optimizer })._tag, "Failure")
    })
  })
})
