import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { chain, complete, make, names, one, part } from "../optimizers.ts"
import { rowOf, transformNamed, transformNames } from "../optimizers/names.ts"
import { services, temporary } from "./support.ts"

/** Names with options, and what is said about them. */
const wrongOptions = [
  [
    "lion",
    '{"weightDeacy":0.01}',
    'lion has no option "weightDeacy"; its options are learningRate, b1, b2, weightDecay, mask'
  ],
  ["signSgd", '{"toString":1}', 'signSgd has no option "toString"; its options are learningRate'],
  ["sgd", '{"learningRate":1}', 'sgd has no option "learningRate"; its options are stepSize'],
  ["lion", '{"b1":"x"}', 'lion: expected b1 to be a number, found "x"'],
  [
    "lion",
    '{"b1":null,"mask":"bias"}',
    'lion: expected b1 to be a number, found null; lion: expected mask to be one of "all", "weights", "biases", found "bias"'
  ],
  ["amsgrad", '{"biasCorrectionMu":1}', "amsgrad: expected biasCorrectionMu to be true or false, found 1"],
  [
    "adafactor",
    '{"clippingThreshold":true}',
    "adafactor: expected clippingThreshold to be a number or null, found true"
  ],
  ["polyakSgd", '{"variant":"sps-"}', 'polyakSgd: expected variant to be one of "sps", "sps+", found "sps-"'],
  ["lion", '{"weightDecay":[1]}', "lion: expected weightDecay to be a number, or a schedule with its _tag, found [1]"],
  [
    "lion",
    '{"learningRate":{"_tag":"Constant","stepSize":"x"}}',
    'lion: learningRate: expected stepSize of constant to be a finite number, found "x"'
  ],
  [
    "rprop",
    '{"learningRate":{"_tag":"Constant","stepSize":1}}',
    /^rprop: expected learningRate to be a number, found \{/
  ],
  ["adamw", '{"b1":2}', "scaleByAdam: b1 is 2, expected a number with 0 ≤ x < 1"],
  ["adam", '{"b1":2}', "adam: b1 is 2, expected a number with 0 ≤ x < 1"]
] as const

const known = transformNames.join(", ")

/** Chains, and what is said about them. */
const wrongChains = [
  ["[", "expected JSON"],
  ["[]", "expected one transform or more"],
  ["[3]", 'part 1: expected one transform with its options, as in {"adamw":{"weightDecay":0.01}}'],
  ['[{"adamw":{},"clip":{}}]', 'part 1: expected one transform with its options, as in {"adamw":{"weightDecay":0.01}}'],
  [
    '["adamw",{"clip":1}]',
    'part 2: expected the options of clip to be an object, as in {"adamw":{"weightDecay":0.01}}'
  ],
  ['["adamw","momentum"]', `part 2: there is no transform "momentum"; there are ${known}`],
  ['["adamw",{"clip":{}}]', "part 2: clip needs maxDelta, a number"],
  ['["adamw",{"clip":{"maxDelta":-1}}]', "part 2: clip: maxDelta is -1, expected a number ≥ 0"],
  ['["clip"]', "clip needs maxDelta, a number"],
  ['[{"scaleBySign":{"b1":1}}]', 'scaleBySign has no option "b1"; it has none'],
  ['[{"adamw":{"inner":[]}}]', /^adamw has no option "inner"; its options are learningRate, /],
  [
    '[{"multiSteps":{"k":2,"inner":["sgd"]}}]',
    'multiSteps has no option "k"; its options are everyKSchedule, useGradMean, inner'
  ],
  ['[{"multiSteps":{"everyKSchedule":2}}]', "multiSteps needs inner, a list of transforms"],
  [
    '[{"multiSteps":{"everyKSchedule":2,"inner":"sgd"}}]',
    'part 1: multiSteps: inner: expected a list of transforms, as in [{"adamw":{"weightDecay":0.01}}]'
  ],
  ['[{"multiSteps":{"everyKSchedule":0,"inner":["sgd"]}}]', "multiSteps: everyKSchedule is 0, expected an integer ≥ 1"],
  ['["trace",{"masked":{"mask":"all","inner":["sgd",{"sgd":{"momentum":7}}]}}]', "part 1: trace needs decay, a number"],
  [
    '["adam",{"masked":{"mask":"all","inner":["sgd",{"sgd":{"momentum":7}}]}}]',
    "part 2: masked: inner: part 2: sgd: momentum is 7, expected a number with 0 ≤ x ≤ 1"
  ]
] as const

const assertSays = (said: string, expected: string | RegExp): void =>
  typeof expected === "string" ? assert.strictEqual(said, expected) : assert.match(said, expected)

const made = (json: string) => Effect.flatMap(chain(json), (parts) => complete("there", parts, Effect.succeed))

layer(services)("optimizers", (it) => {
  describe("laws", () => {
    it.effect.each(names)("%s is made, and has the step size that suits the model", (name) =>
      Effect.gen(function* () {
        const parts = yield* one(name)
        const { field = "", stepSize } = rowOf(name)?.rate ?? {}
        const { hyperParameters, name: own } = make(parts)
        assert.deepStrictEqual([own, hyperParameters[field]], [name.replace("transform.", ""), stepSize])
      })
    )
    it("every transform has one name, with or without a prefix", () => {
      for (const name of transformNames) {
        assert.strictEqual(transformNamed(name), transformNamed(`transform.${name}`))
        assert.include(transformNamed(name), name)
      }
    })
  })

  describe("cases", () => {
    it.effect("where JAX and Optax share a name it means JAX's, but in a chain Optax's", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* one("adam"), [{ name: "adam", options: { stepSize: 0.003 } }])
        const optax = [{ name: "transform.adam", options: { learningRate: 0.005 } }]
        assert.deepStrictEqual(yield* one("transform.adam"), optax)
        assert.deepStrictEqual(yield* made('["adam"]'), optax)
        assert.deepStrictEqual(yield* made('["transform.adam"]'), optax)
        assert.strictEqual((yield* part("transform.lion")).name, "lion")
      })
    )
    it.effect("options reach the optimizer", () =>
      Effect.gen(function* () {
        const options = { b1: 0.5, weightDecay: 0.01, mask: "weights" }
        const parts = yield* one("adamw", { learningRate: 0.1, ...options })
        assert.deepInclude(make(parts).hyperParameters, { learningRate: 0.1, b1: 0.5, b2: 0.999, weightDecay: 0.01 })
        assert.deepStrictEqual(parts[0]?.options, { learningRate: 0.1, ...options })
      })
    )
    it.effect("a chain is read from a file", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* temporary("chain.json")
        yield* fs.writeFileString(path, '[{"clipByGlobalNorm": {"maxNorm": 1}}, "adamw"]')
        assert.deepStrictEqual(yield* chain(path), [
          { name: "clipByGlobalNorm", options: { maxNorm: 1 } },
          { name: "adamw", options: {} }
        ])
        const missing = yield* Effect.flip(chain("none.json"))
        assert.strictEqual(missing.message, "--chain none.json: no such file")
      })
    )
    it.effect.each(wrongOptions)("%s with %s is refused in one line", ([name, options, reason]) =>
      Effect.gen(function* () {
        const asked = yield* part(name, options)
        const error = yield* Effect.flip(complete("there", [asked], Effect.succeed))
        assert.strictEqual(error.place, "there")
        assertSays(error.reason, reason)
      })
    )
    it.effect.each(wrongChains)("the chain %s is refused in one line", ([json, reason]) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(made(json))
        assertSays(error.reason, reason)
      })
    )
    it.effect("a name that is none is refused with those that there are, options that are no object as such", () =>
      Effect.gen(function* () {
        const { message } = yield* Effect.flip(part("toString"))
        assert.strictEqual(message, `--optimizer toString: there is no such optimizer; there are ${names.join(", ")}`)
        for (const text of ["{", "[]", "null", "3"]) {
          const error = yield* Effect.flip(part("sgd", text))
          assert.strictEqual(error.message, `--options ${text}: expected a JSON object`)
        }
      })
    )
  })
})
