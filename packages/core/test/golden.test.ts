/**
 * Numbers: every trajectory of the reference, on every backend.
 *
 * The bound is ten times the deviation that the reference itself shows in float32, for each record, both absolute and
 * relative.
 */
import { Optimizer, OptimizerState, Tensors } from "@optim/core"
import { KeyPath, PyTree, TreeDef } from "@optim/pytree"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { it } from "vitest"
import { type Backend, backends } from "./support/backends.ts"
import { catalogue, exported } from "./support/catalogue.ts"
import {
  deviation,
  type Deviation,
  type GoldenRecord,
  numbers,
  numbersOf,
  optimizerName,
  optionsOf,
  records,
  toTensors
} from "./support/golden.ts"
import { values } from "./support/numbers.ts"
import { leastNormal, precision } from "./support/tolerances.ts"

const within = (
  found: ReadonlyArray<ReadonlyArray<number>>,
  expected: ReadonlyArray<ReadonlyArray<number>>,
  bound: Deviation,
  what: string,
  isComparable: (index: number) => boolean = () => true
) => {
  assert.strictEqual(found.length, expected.length, what)
  const comparable = (numbers: ReadonlyArray<ReadonlyArray<number>>) =>
    numbers.flat().filter((_, index) => isComparable(index))
  const { max_abs, max_rel } = deviation(comparable(found), comparable(expected))
  assert.isAtMost(max_abs, 10 * bound.max_abs, `${what}: absolute`)
  assert.isAtMost(max_rel, 10 * bound.max_rel, `${what}: relative`)
}

/** The order in which the reference keeps its slots; ours is sorted by name. */
const slotOrder: { readonly [optimizer: string]: ReadonlyArray<string> } = {
  momentum: ["x", "v"],
  nesterov: ["x", "v"],
  adagrad: ["x", "s", "m"],
  rmsprop: ["x", "a"],
  rmspropMomentum: ["x", "a", "v"],
  adam: ["x", "m", "v"],
  adamax: ["x", "m", "u"],
  sm3: ["x", "m", "v"]
}

/** Our slots in the reference's order. Its sm3 also keeps the sizes of the shape as leaves. */
const ourSlots = (name: string, subtree: unknown): Effect.Effect<ReadonlyArray<ReadonlyArray<number>>> => {
  const order = slotOrder[name]
  const slots =
    order === undefined ? [subtree] : order.map((slot) => (subtree as { readonly [slot: string]: unknown })[slot])
  return values(slots)
}

const checkState = Effect.fnUntraced(function* (
  record: GoldenRecord,
  name: string,
  state: OptimizerState.OptimizerState<unknown, unknown>,
  bound: Deviation
) {
  const [joined, treeDef] = PyTree.flatten<unknown>(OptimizerState.unpack(state))
  const expected = record.extra?.final_state ?? []
  assert.deepStrictEqual(
    TreeDef.paths(treeDef).map((path) => KeyPath.keystr(path)),
    expected.map(({ param }) => param)
  )
  for (const [index, { leaves, param }] of expected.entries()) {
    const slots = yield* ourSlots(name, (joined[index] as { readonly subtree: unknown }).subtree)
    const theirs = leaves.slice(0, slots.length).map(numbersOf)
    assert.strictEqual(slots.length, theirs.length)
    slots.forEach((slot, position) => {
      const scale = Math.max(1, ...(theirs[position] ?? []).map(Math.abs))
      const { max_abs } = deviation(slot, theirs[position] ?? [])
      assert.isAtMost(
        max_abs / scale,
        10 * Math.max(bound.max_abs, 2 ** -23),
        `${record.id} state of ${param}, slot ${position}`
      )
    })
  }
})

/** Which elements have had a gradient whose square is no normal number: where that is 0, Adagrad takes no step. */
const vanishing = (gradients: ReadonlyArray<unknown>): ReadonlyArray<boolean> => {
  const steps = gradients.map((grads) => numbers(grads).flat())
  const vanishes = (g: number): boolean => g !== 0 && g * g < leastNormal
  return (steps[0] ?? []).map((_, index) => steps.some((step) => vanishes(step[index] ?? 0)))
}

const trajectory = Effect.fnUntraced(function* (
  backend: Backend,
  record: GoldenRecord,
  make: (options: object) => Optimizer.Optimizer<unknown>
) {
  const bound = record.extra?.f32 ?? { max_abs: 0, max_rel: 0 }
  const left = precision[backend.name].flushesSubnormals ? vanishing(record.grads) : []
  const isComparable = (index: number): boolean => !left[index]
  const optimizer = make(optionsOf(record))
  let state = yield* optimizer.init(toTensors(record.params0))
  for (const [step, grads] of record.grads.entries()) {
    state = yield* optimizer.update(step, toTensors(grads), state, { donate: true })
    within(
      yield* values(optimizer.params(state)),
      numbers(record.params[step]),
      bound,
      `${record.id} step ${step}`,
      isComparable
    )
  }
  if (!left.includes(true)) yield* checkState(record, optimizerName(record), state, bound)
  yield* Tensors.dispose(state)
})

for (const backend of backends) {
  layer(backend.layer)(`golden records on ${backend.name}`, (it) => {
    for (const { make, name, records } of catalogue) {
      describe(`of ${name}`, () => {
        for (const record of records) it.effect(record.id, () => trajectory(backend, record, make))
      })
    }

    // The reference computes these two without a float32 run; six digits are 16 roundings of float32.
    const bound = { max_abs: Number.POSITIVE_INFINITY, max_rel: 1e-7 }
    for (const record of records.filter(({ name }) => name === "clip_grads")) {
      it.effect(record.id, () =>
        Effect.gen(function* () {
          const clipped = yield* Optimizer.clipGrads(toTensors(record.grads[0]), Number(record.kwargs["max_norm"]))
          within(yield* values(clipped), numbers(record.output), bound, record.id)
        })
      )
    }
    for (const record of records.filter(({ name }) => name === "l2_norm")) {
      it.effect(record.id, () =>
        Effect.gen(function* () {
          within([[yield* Optimizer.l2Norm(toTensors(record.grads[0]))]], [[Number(record.output)]], bound, record.id)
        })
      )
    }
  })
}

describe("the catalogue is complete", () => {
  const modules = Object.keys(import.meta.glob("../src/internal/optimizers/*.ts"))
  const files = modules.map((file) => file.replace(/^.*\/(.*)\.ts$/, "$1"))
  const functions = new Set(["clipGrads", "l2Norm"])
  const recorded = new Set(records.map(optimizerName).filter((name) => !functions.has(name)))

  it("every file of an optimizer has an export of its name", () =>
    assert.deepStrictEqual(exported.toSorted(), files.toSorted()))
  it("every optimizer has golden records, and every record an optimizer", () => {
    assert.deepStrictEqual([...recorded].toSorted(), exported.toSorted())
  })
})
