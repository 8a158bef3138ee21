/**
 * The learning rate of a step, where there is one.
 *
 * A chain may have several numbers that scale what passes, groups a rate each, and wrappers that update less often than
 * the loop steps. What is reported is the one rate that there is, at the count that its schedule was asked for; where
 * there are several, none.
 */
import { KeyPath, TreeDef } from "@optim/pytree"
import * as Schedules from "@optim/schedules"
import type { HyperParameter, HyperParameters } from "../optimizer/hyperParameters.ts"
import { type Held, ownHeld } from "../optimizer/held.ts"

/** Where numbers of one kind stand in states of one structure. */
const placesOf = (isWanted: (keys: string) => boolean): ((treeDef: TreeDef.TreeDef) => ReadonlyArray<number>) => {
  const known = new WeakMap<TreeDef.TreeDef, ReadonlyArray<number>>()
  return (treeDef) => {
    const found =
      known.get(treeDef) ??
      TreeDef.paths(treeDef).flatMap((path, index) =>
        isWanted(`.${KeyPath.keystr(path, { simple: true, separator: "." })}`) ? [index] : []
      )
    known.set(treeDef, found)
    return found
  }
}

const rates = placesOf((keys) => keys.endsWith(".hyperparams.learningRate"))

const counts = placesOf((keys) => keys.endsWith(".count"))

/** The numbers at places of a state; where a tensor stands there is none. */
const numbersAt = ({ numbers }: Held, places: ReadonlyArray<number>): ReadonlyArray<number> =>
  places.flatMap((place) => numbers[place] ?? [])

const only = (all: ReadonlyArray<number>): number | undefined => (new Set(all).size === 1 ? all[0] : undefined)

/** The rate at a step or count, if it is one. */
const at = (rate: HyperParameter | undefined, count: number | undefined): number | undefined => {
  if (typeof rate === "number") return rate
  const isRate = typeof rate === "function" || Schedules.isSchedule(rate)
  return isRate && count !== undefined ? Schedules.at(rate, count) : undefined
}

const lastOf = (name: string): string => name.slice(name.lastIndexOf(".") + 1)

const scales = (name: string): boolean => lastOf(name) === "learningRate" || lastOf(name) === "stepSize"

interface Holding {
  readonly [ownHeld]: Held | undefined
}

/** The rate of the step that led from one state to another; nothing where there is none, or more than one. */
export const learningRateOf = (
  { hyperParameters }: { readonly hyperParameters: HyperParameters },
  step: number,
  { [ownHeld]: before }: Holding,
  { [ownHeld]: after }: Holding
): number | undefined => {
  if (before === undefined) return at(hyperParameters["stepSize"] ?? hyperParameters["learningRate"], step)
  if (Object.keys(hyperParameters).filter(scales).length !== 1) return undefined
  const injected = after === undefined ? [] : numbersAt(after, rates(after.treeDef))
  if (injected.length > 0) return only(injected)
  return at(hyperParameters["learningRate"], only(numbersAt(before, counts(before.treeDef))))
}
