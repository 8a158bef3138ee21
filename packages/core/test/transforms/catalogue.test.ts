/**
 * The catalogue of transforms: complete, and fused. Every file has its export, every export its record, and what needs no
 * reduction is one kernel for each leaf. What is otherwise says why in the catalogue; a reason that no longer holds fails.
 */
/// <reference types="vite/client" />
import { Optimizer, Transform } from "@optim/core"
import * as Cpu from "@optim/core/cpu"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { toTensors } from "../support/golden.ts"
import { owned } from "../support/stepping.ts"
import {
  type Case,
  exported,
  nameOf,
  notExported,
  notTransforms,
  records,
  rows,
  unknownNames,
  withoutRecord
} from "../support/transforms.ts"

// --- plans -------------------------------------------------------------------------------------------------------

const planOf = Effect.fnUntraced(function* ({ id, make, params }: Case) {
  const { treeDef, update } = yield* Optimizer.fromTransform(make()).trace(yield* owned(() => toTensors(params)))
  const left = update.steps.filter(({ _tag }) => _tag === "Library").length
  const { nodes, outputs } = update.program
  const moved = outputs.slice(0, treeDef.leafCount).filter((output) => nodes[output]?.operation.op !== "input").length
  return { id, left, steps: update.steps.length, moved, leaves: treeDef.leafCount }
})

type Planned = Effect.Success<ReturnType<typeof planOf>>

/** One kernel for each leaf; a parameter that does not move needs none. */
const isOneForEach = ({ leaves, moved, steps }: Planned): boolean => moved <= steps && steps <= leaves

/** The configurations for which something holds: none, unless there is a reason, which then must be true. */
const allowed = (cases: ReadonlyArray<{ readonly id: string }>, reason: string | undefined): void => {
  const ids = cases.map(({ id }) => id)
  if (reason === undefined) assert.deepStrictEqual(ids, [])
  else assert.isNotEmpty(ids, `${reason}: this does not hold`)
}

layer(Cpu.layer)("plans of transforms", (it) => {
  for (const row of rows) {
    it.effect(`${row.name} is one kernel for each leaf${row.severalKernels === undefined ? "" : ", and more"}`, () =>
      Effect.gen(function* () {
        const plans = yield* Effect.forEach(row.cases, planOf)
        const fused = plans.filter(({ left }) => left === 0)
        allowed(
          plans.filter(({ left }) => left > 0),
          row.library
        )
        if (fused.length > 0)
          allowed(
            fused.filter((plan) => !isOneForEach(plan)),
            row.severalKernels
          )
      }).pipe(Effect.scoped)
    )
  }
})

// --- the catalogue -----------------------------------------------------------------------------------------------

const files = import.meta.glob<object>("../../src/internal/{transforms,aliases}/**/*.ts", { eager: true })

/** Files of words that several transforms share. */
const parts: { readonly [file: string]: string } = {
  "transforms/monitor/measure.ts": "what monitor and snapshot call a measure",
  "transforms/combine/finite.ts": "counts what is not finite, for applyIfFinite and the rules that skip"
}

describe("the catalogue of transforms is complete", () => {
  const ours = new Set<unknown>(Object.values(Transform))

  it("every file has an export", () => {
    const silent = Object.entries(files)
      .filter(([, module]) => !Object.values(module).some((value) => ours.has(value)))
      .map(([file]) => file.replace("../../src/internal/", ""))
    assert.deepStrictEqual(silent.toSorted(), Object.keys(parts).toSorted())
  })

  it("every export has a record, or a reason to have none", () => {
    const found = new Set(rows.map(({ name }) => name))
    assert.deepStrictEqual(
      exported.filter((name) => !found.has(name)).toSorted(),
      Object.keys(withoutRecord).toSorted()
    )
  })

  it("every name of the records has an export, or a reason to have none", () => {
    const missing = new Set(records.map(nameOf).filter((name) => !(name in Transform)))
    assert.deepStrictEqual([...missing].toSorted(), Object.keys(notExported).toSorted())
  })

  it("there are no reasons for what is not there", () => {
    assert.deepStrictEqual(unknownNames(), [])
    assert.deepStrictEqual(
      Object.keys(notTransforms).filter((name) => !(name in Transform)),
      []
    )
  })
})
