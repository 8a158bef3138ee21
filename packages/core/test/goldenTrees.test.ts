/// <reference types="vite/client" />
/**
 * Numbers: functions of trees and of counts as the reference computes them, on every backend.
 *
 * There is no float32 run of the reference: the bound is eight roundings of the largest number of the result, or of 1.
 */
import { Expr, Optimizer, Plan, Program, Scalar, Tensors, TensorTree, Transform } from "@optim/core"
import { assert, describe, layer } from "@effect/vitest"
import type { Tensor } from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import { it } from "vitest"
import json from "./golden/optax_utils.json?raw"
import { backends } from "./support/backends.ts"
import { camel, numbers, toTensors } from "./support/golden.ts"
import { values } from "./support/numbers.ts"

interface Call {
  readonly id: string
  readonly name: string
  readonly inputs: { readonly [name: string]: unknown }
  readonly kwargs: { readonly [name: string]: unknown }
  readonly output: unknown
}

const records: ReadonlyArray<Call> = JSON.parse(json).records

type Arguments = ReadonlyArray<unknown>
type Options = { readonly [name: string]: unknown }
type Result = Effect.Effect<unknown, unknown, Tensors.Tensors>

/** A symbolic function of one tensor, computed. */
const ofTensor = (input: unknown, compute: (x: Expr.Expr) => Expr.Expr): Result =>
  Effect.gen(function* () {
    const { execute } = yield* Tensors.Tensors
    const x = input as Tensor
    const spec = { shape: x.shape, dtype: "float32" } as const
    const plan = Plan.make(Program.make([spec], [compute(Expr.input(0, spec))]))
    const scalars = Program.evaluateScalars(plan.program, [])
    return yield* execute({ plan, inputs: [x], scalars, donatedFrom: 1, renewHandles: true })
  })

const safeNorm = ([x]: Arguments, { axis, keepdims, minNorm, ord }: Options): Result =>
  ofTensor(x, (x) =>
    Expr.safeNorm(x, Number(minNorm), {
      ord: (ord ?? 2) as 1 | 2 | "inf",
      axes: axis === undefined ? undefined : [Number(axis)],
      keepDims: keepdims === true
    })
  )

const size: (trees: Arguments) => Result = ([tree]) => Effect.sync(() => TensorTree.size(tree))

const updateMoment = ([updates, moments]: Arguments, options: Options): Result =>
  TensorTree.updateMoment(updates, moments, options as never)

/** The functions under the reference's names; trees in the order of the record, numbers as options. */
const functions: { readonly [name: string]: (trees: Arguments, options: Options) => Result } = {
  "tree.add": ([x, y, ...others]) => TensorTree.add(x, y, ...others),
  "tree.sub": ([x, y]) => TensorTree.sub(x, y),
  "tree.mul": ([x, y]) => TensorTree.mul(x, y),
  "tree.div": ([x, y]) => TensorTree.div(x, y),
  "tree.scale": ([tree], { scalar }) => TensorTree.scale(tree, Number(scalar)),
  "tree.add_scale": ([x, y], { scalar }) => TensorTree.addScale(x, Number(scalar), y),
  "tree.where": ([x, y], { condition }) => TensorTree.where(condition === true, x, y),
  "tree.clip": ([tree], bounds) => TensorTree.clip(tree, bounds),
  "tree.sum": ([tree]) => TensorTree.sum(tree),
  "tree.vdot": ([x, y]) => TensorTree.vdot(x, y),
  "tree.norm": ([tree], options) => TensorTree.norm(tree, options),
  "tree.max": ([tree]) => TensorTree.max(tree),
  "tree.min": ([tree]) => TensorTree.min(tree),
  "tree.size": size,
  "tree.zeros_like": ([tree]) => TensorTree.zerosLike(tree),
  "tree.ones_like": ([tree]) => TensorTree.onesLike(tree),
  "tree.full_like": ([tree], { fillValue }) => TensorTree.fullLike(tree, Number(fillValue)),
  "tree.update_moment": updateMoment,
  // The same for numbers that are not complex.
  "tree.update_moment_per_elem_norm": updateMoment,
  "tree.update_infinity_moment": ([updates, moments], options) =>
    TensorTree.updateInfinityMoment(updates, moments, options as never),
  "tree.bias_correction": ([moments], options) => TensorTree.biasCorrection(moments, options as never),
  apply_updates: ([params, updates]) => Transform.applyUpdates(params, updates),
  global_norm: ([tree]) => Optimizer.l2Norm(tree),
  safe_norm: safeNorm,
  safe_root_mean_squares: ([x], { minRms }) => ofTensor(x, (x) => Expr.safeRootMeanSquares(x, Number(minRms))),
  safe_increment: (_, { count }) =>
    Effect.sync(() => Scalar.evaluate(Scalar.safeIncrement(Scalar.input("count", 0)), [Number(count)]))
}

const optionsOf = ({ kwargs }: Call): Options =>
  Object.fromEntries(
    Object.entries(kwargs)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [camel(name), value])
  )

/** Half a unit in the last place of 1. */
const roundoff = 2 ** -24

const check = Effect.fnUntraced(function* (record: Call) {
  const call = functions[record.name] ?? assert.fail(`no function ${record.name}`)
  const inputs = Object.values(record.inputs).map(toTensors)
  const result = yield* call(inputs, optionsOf(record))
  const [found, expected] = [yield* values(result), numbers(record.output)]
  assert.deepStrictEqual(
    found.map((leaf) => leaf.length),
    expected.map((leaf) => leaf.length)
  )
  const scale = Math.max(1, ...expected.flat().map(Math.abs))
  expected
    .flat()
    .forEach((value, index) => assert.approximately(found.flat()[index] ?? Number.NaN, value, 8 * roundoff * scale))
  yield* Tensors.dispose([inputs, result])
})

for (const backend of backends) {
  layer(backend.layer)(`golden functions of trees on ${backend.name}`, (it) => {
    for (const record of records) it.effect(record.id, () => check(record))
  })
}

describe("the records are complete", () => {
  it("every function has records, and every record a function", () =>
    assert.deepStrictEqual([...new Set(records.map(({ name }) => name))].toSorted(), Object.keys(functions).toSorted()))
})
