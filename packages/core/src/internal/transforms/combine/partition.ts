/** Another transform for each group of leaves. */
import type { Expr } from "../../../Expr.ts"
import * as Leaves from "../../../Leaves.ts"
import { InvalidMask } from "../../../OptimError.ts"
import { pathOf } from "../../leaves.ts"
import { labelsOf, type PerLeaf } from "../../transform/mask.ts"
import type { Any, NeedsOf, StateOf, Transform } from "../../transform/transform.ts"
import { hyperParametersOf, needsOf } from "./chain.ts"
import { type MaskedState, onChosen } from "./masked.ts"

/** The states of the transforms, each for its own leaves. */
export interface PartitionState<T extends Groups> {
  readonly innerStates: { readonly [L in keyof T]: MaskedState<StateOf<T[L]>> }
}

/** A transform for each label. */
export type Groups = { readonly [label: string]: Any }

const quoted = (labels: ReadonlyArray<string>): string => labels.map((label) => JSON.stringify(label)).join(", ")

/** Throws unless every label has a transform. */
const checkLabels = (operation: string, groups: ReadonlyArray<string>, labels: Leaves.Leaves<string>): void => {
  const faults = labels.items.flatMap((label, index) =>
    groups.includes(label)
      ? []
      : [
          {
            path: pathOf(labels.treeDef, labels.at[index] ?? 0),
            expected: `one of ${quoted(groups)}`,
            found: JSON.stringify(label)
          }
        ]
  )
  if (faults.length > 0) throw new InvalidMask({ operation, role: "the labels", faults })
}

type Labels = (leaves: Leaves.Leaves<Expr>) => Leaves.Leaves<string>

/** Another transform for each group of leaves, under a name. */
export const partitionBy = <const T extends Groups>(
  name: string,
  transforms: T,
  labels: Labels
): Transform<PartitionState<T>, NeedsOf<T[keyof T]>> => {
  const groups = Object.keys(transforms).toSorted()
  const all = groups.flatMap((label) => transforms[label] ?? [])
  const labelled: Labels = (leaves) => {
    const found = labels(leaves)
    checkLabels(name, groups, found)
    return found
  }
  const members = all.map((transform, index): Any => {
    const label = groups[index]
    return onChosen(`${name}.${label}`, transform, (leaves) => Leaves.map(labelled(leaves), (found) => found === label))
  })
  // One state for each label.
  const byLabel = (states: ReadonlyArray<unknown>): PartitionState<T> => ({
    innerStates: Object.fromEntries(
      groups.map((label, index) => [label, states[index]])
    ) as PartitionState<T>["innerStates"]
  })
  return {
    name,
    hyperParameters: hyperParametersOf(all),
    needs: needsOf(all),
    init: (params) => byLabel(members.map((member): unknown => member.init(params))),
    update: (updates, { innerStates }, context) => {
      // Groups share no leaf, so each may see what those before it have done.
      let current = updates
      const states = members.map((member, index): unknown => {
        const step = member.update(current, innerStates[groups[index] ?? ""], context)
        current = step.updates
        return step.state
      })
      return { updates: current, state: byLabel(states) }
    }
  }
}

/**
 * Another transform for each group of leaves: every leaf has the label of its transform.
 *
 * `labels` is a tree of strings, a prefix of one, or a function that gives one for the parameters' shapes. State:
 * `innerStates`, for each label that of a masked transform. Needs what all of them need. Fails with `InvalidMask` for a
 * label without transform and with `StructureMismatch` where the labels do not fit the parameters.
 * Source: `optax.partition`, formerly `multi_transform`.
 *
 * @example
 * ```ts
 * import * as assert from "node:assert"
 * import * as Effect from "effect/Effect"
 * import { Transform } from "@optim/core"
 * import * as Cpu from "@optim/core/cpu"
 *
 * const groups = { slow: Transform.scale({ stepSize: -0.1 }), fast: Transform.scale({ stepSize: -1 }) }
 * const partition = Transform.partition(groups, { encoder: "slow", head: "fast" })
 * const program = Effect.gen(function*() {
 *   const state = yield* Transform.init(partition, { encoder: [0, 0], head: 0 })
 *   const { updates } = yield* Transform.update(partition, { encoder: [10, 20], head: 10 }, state)
 *   return [...updates.encoder, updates.head].map((u) => u.dataSync()[0])
 * })
 * assert.deepStrictEqual(await Effect.runPromise(program.pipe(Effect.provide(Cpu.layer))), [-1, -2, -10])
 * ```
 */
export const partition = <const T extends Groups>(
  transforms: T,
  labels: PerLeaf
): Transform<PartitionState<T>, NeedsOf<T[keyof T]>> =>
  partitionBy("partition", transforms, (leaves) => labelsOf("partition", labels, leaves))
