/**
 * The catalogue of transforms: complete, and fused. Every file has its export, every export its record, and what needs no
 * reduction is one kernel for each leaf. What is otherwise says why in the catalogue; a reason that no longer holds fails.
 */
/// <reference types="vite/client" />
import { Optimizer, type Plan, Transform } from "@optim/core"
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

const planOf = Effect.fnUntraced(function* (tried: Case) {
  const params = yield* owned(() => toTensors(tried.params))
  const { treeDef, update } = yield* Optimizer.fromTransform(tried.make()).trace(params)
  return { plan: update, leaves: treeDef.leafCount }
})

const isOneKernelPerLeaf = ({ leaves, plan }: { readonly plan: Plan.Plan; readonly leaves: number }): boolean =>
  plan.steps.length === leaves && plan.steps.every(({ _tag }) => _tag === "Fused")

const hasLibrarySteps = ({ plan }: { readonly plan: Plan.Plan }): boolean =>
  plan.steps.some(({ _tag }) => _tag === "Library")

layer(Cpu.layer)("plans of transforms", (it) => {
  for (const row of rows) {
    it.effect(`${row.name} is ${row.severalKernels === undefined ? "" : "not "}one kernel for each leaf`, () =>
      Effect.gen(function* () {
        const plans = yield* Effect.forEach(row.cases, planOf)
        const [several, left] = [
          row.cases.filter((_, index) => !plans.map(isOneKernelPerLeaf)[index]),
          row.cases.filter((_, index) => plans.map(hasLibrarySteps)[index])
        ].map((cases) => cases.map(({ id }) => id))
        if (row.severalKernels === undefined && row.library === undefined) assert.deepStrictEqual(several, [])
        else assert.isAbove(several?.length ?? 0, 0, "the reason does not hold")
        if (row.library === undefined) assert.deepStrictEqual(left, [])
        else assert.isAbove(left?.length ?? 0, 0, "the reason does not hold")
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
      exported.filter((name) => !found.has(name)),
      Object.keys(withoutRecord)
    )
  })

  it("every name of the records has an export, or a reason to have none", () => {
    const missing = new Set(records.map(nameOf).filter((name) => !(name in Transform)))
    assert.deepStrictEqual([...missing], Object.keys(notExported))
  })

  it("there are no reasons for what is not there", () => {
    assert.deepStrictEqual(unknownNames(), [])
    assert.deepStrictEqual(
      Object.keys(notTransforms).filter((name) => !(name in Transform)),
      []
    )
  })
})
