import { assert, describe, layer } from "@effect/vitest"
import { Optimizer, Transform } from "@optim/core"
import * as Wasm from "@optim/core/wasm"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { hasProperty } from "effect/Predicate"
import * as Checkpoint from "../checkpoint.ts"
import { accuracy } from "../evaluate.ts"
import { chain, complete, names, one } from "../optimizers.ts"
import { transformNames } from "../optimizers/names.ts"
import type { Recipe } from "../recipe.ts"
import { train } from "../train.ts"
import { data, recipe, services, stepsPerEpoch, temporary } from "./support.ts"

/** What a run comes to, when nothing of it is kept but a checkpoint. */
const outcome = Effect.fnUntraced(function* (changes: Partial<Recipe>, saved?: Checkpoint.Saved) {
  const fs = yield* FileSystem.FileSystem
  const run = { recipe: { ...recipe, ...changes }, data: yield* data, saved, checkpoint: yield* temporary("run") }
  const { params, steps } = yield* train(run)
  return {
    losses: steps.map(({ loss }) => loss),
    accuracy: yield* accuracy(params, run.data.test),
    bytes: yield* fs.readFile(run.checkpoint),
    saved: yield* Checkpoint.read(run.checkpoint)
  }
}, Effect.scoped)

/** Some epochs and a resumed rest are all epochs, to the last bit. */
const resumesExactly = Effect.fnUntraced(function* <E>(
  parts: Effect.Effect<Recipe["optimizer"], E, FileSystem.FileSystem>
) {
  const optimizer = yield* parts
  const whole = yield* outcome({ optimizer, epochs: 3 })
  const part = yield* outcome({ optimizer, epochs: 1 })
  const rest = yield* outcome({ optimizer, epochs: 3 }, part.saved)
  assert.deepStrictEqual([...part.losses, ...rest.losses], whole.losses)
  assert.deepStrictEqual(rest.bytes, whole.bytes)
})

const decay = { _tag: "ExponentialDecay", stepSize: 0.01, decaySteps: 4, decayRate: 0.5 }

const recipeOfPaper = [
  { clipByGlobalNorm: { maxNorm: 1 } },
  { adamw: { learningRate: decay, weightDecay: 0.01, mask: "weights" } }
]

/** What a resumed run depends on besides moments: schedules, counts of schedules, gradients that are gathered. */
const chains = {
  "a clipped adamw with a schedule": recipeOfPaper,
  "the fifth of six gathered gradients": [{ multiSteps: { everyKSchedule: 6, inner: recipeOfPaper } }],
  lookahead: [
    { lookahead: { syncPeriod: 5, slowStepSize: 0.5, inner: [{ sgd: { learningRate: 0.3, momentum: 0.9 } }] } }
  ],
  "parts of chains": ["centralize", { ema: { decay: 0.9 } }, { scaleByLearningRate: { learningRate: 0.2 } }]
}

const exploding = [{ name: "sgd", options: { stepSize: 1e12 } }]

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The exports that give something with a learning rate, which bears the name of the export. */
const optimizersIn = (module: object): ReadonlyArray<string> =>
  Object.entries(module).flatMap(([name, make]: [string, unknown]) => {
    if (typeof make !== "function") return []
    try {
      const made: unknown = make({ learningRate: 0.1, stepSize: 0.1, mass: 0.1 })
      if (!hasProperty(made, "name") || !hasProperty(made, "hyperParameters") || made.name !== name) return []
      return ["learningRate", "stepSize"].some((rate) => hasProperty(made.hyperParameters, rate)) ? [name] : []
    } catch {
      return [] // it takes something else
    }
  })

layer(Layer.mergeAll(services, Wasm.layer), { excludeTestServices: true })("train", (it) => {
  describe("laws", () => {
    it("every optimizer of the library has a name here", () => {
      const [ofJax, ofOptax] = [optimizersIn(Optimizer), optimizersIn(Transform)]
      assert.includeMembers([...names], [...ofJax])
      assert.includeMembers([...transformNames], [...ofOptax])
      assert.isAtLeast(ofJax.length, 9)
      assert.isAtLeast(ofOptax.length, 29)
    })
    it.effect.each(names)("%s learns with the step size that is its default", (optimizer) =>
      Effect.gen(function* () {
        const { accuracy, losses } = yield* outcome({ optimizer: yield* one(optimizer), epochs: 15 })
        assert.isBelow(mean(losses.slice(-stepsPerEpoch)), 0.7 * Math.log(10))
        assert.isAbove(accuracy, 0.5)
      })
    )
    it.effect.each(names)("with %s, some epochs and a resumed rest are all epochs, to the last bit", (optimizer) =>
      resumesExactly(one(optimizer))
    )
    it.effect.each(Object.entries(chains))("with %s, too", ([, json]) =>
      resumesExactly(Effect.flatMap(chain(JSON.stringify(json)), (parts) => complete("", parts, Effect.succeed)))
    )
    it.effect("one seed gives one run, to the last bit; another seed gives another", () =>
      Effect.gen(function* () {
        const [a, b, c] = yield* Effect.forEach([1, 1, 2], (seed) => outcome({ seed }))
        assert.deepStrictEqual(a?.losses, b?.losses)
        assert.deepStrictEqual(a?.bytes, b?.bytes)
        assert.notDeepEqual(a?.losses, c?.losses)
      })
    )
  })

  describe("cases", () => {
    it.effect(
      "an interrupted run is saved at the step that it had reached, and goes on as if nothing had happened",
      () =>
        Effect.gen(function* () {
          const checkpoint = yield* temporary("run")
          const endless = { recipe: { ...recipe, epochs: 1e6 }, data: yield* data, saved: undefined, checkpoint }
          yield* Effect.timeoutOption(Effect.scoped(train(endless)), "200 millis")
          const saved = yield* Checkpoint.read(checkpoint)
          const epochs = Math.ceil(saved.checkpoint.step / stepsPerEpoch) + 1
          const [rest, whole] = yield* Effect.forEach([saved, undefined], (from) => outcome({ epochs }, from))
          assert.deepStrictEqual(rest?.losses, whole?.losses.slice(saved.checkpoint.step))
          assert.deepStrictEqual(rest?.bytes, whole?.bytes)
        })
    )
    it.effect("a complete run has no step left", () =>
      Effect.gen(function* () {
        const { accuracy, bytes, saved } = yield* outcome({})
        assert.deepInclude(yield* outcome({}, saved), { losses: [], accuracy, bytes })
      })
    )
    it.effect("a run of no epochs is the model as it was made", () =>
      Effect.gen(function* () {
        const { losses, saved } = yield* outcome({ epochs: 0 })
        assert.deepStrictEqual([losses, saved.checkpoint.step], [[], 0])
      })
    )
    it.effect("a checkpoint past the last epoch is refused", () =>
      Effect.gen(function* () {
        const { saved } = yield* outcome({ epochs: 2 })
        const error = yield* Effect.flip(outcome({ epochs: 1 }, { ...saved, path: "run" }))
        assert.strictEqual(error.message, "run is at step 16, past --epochs 1, which end at step 8")
      })
    )
    it.effect("a loss that is not finite ends the run", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(outcome({ optimizer: exploding }))
        assert.match(error.message, /^Train: the loss is NaN at step \d, expected a finite number$/)
      })
    )
    it.effect("nothing stays in memory", () =>
      Effect.gen(function* () {
        const { numTensors } = tf.memory()
        const { saved } = yield* outcome({ epochs: 2 })
        yield* Effect.flip(outcome({ epochs: 1 }, saved))
        yield* Effect.flip(outcome({ optimizer: exploding }))
        assert.strictEqual(tf.memory().numTensors, numTensors)
      })
    )
  })
})
