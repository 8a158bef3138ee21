/**
 * Transforms written for one leaf: the rule says what happens to a tensor, these words do the rest.
 *
 * A rule sees the update `g` of its leaf, its slots under their names, and the count of earlier updates; it returns the
 * new update and the new slots. In the state of the transform each slot is a tree of the parameters' structure.
 */
import * as Expr from "../../Expr.ts"
import * as Leaves from "../../Leaves.ts"
import * as Scalar from "../../Scalar.ts"
import type { HyperParameters } from "../optimizer/hyperParameters.ts"
import type { Transform } from "./transform.ts"

/** Nothing to remember. */
export type Stateless = null

/** What a rule keeps for one leaf: symbolic tensors, or trees of them, by name. */
type Slots = { readonly [slot: string]: unknown }

/** The slots of all leaves: for each name a list. */
export type SlotLists<S> = { readonly [K in keyof S]: Leaves.Leaves<S[K]> }

interface Named {
  readonly name: string
  readonly hyperParameters?: HyperParameters
}

/** The number of updates before this one. Counts to the largest int32 and stays there. */
export interface Counted {
  readonly count: Scalar.Scalar
}

/** One more than a count, up to the largest int32. */
export const increment = Scalar.safeIncrement

/** A count that starts at 0. */
export const zero: Scalar.Scalar = Scalar.constant(0)

/** A transform without state that looks at nothing but the updates, leaf by leaf. */
export const stateless = (
  { hyperParameters = {}, name }: Named,
  rule: (g: Expr.Expr) => Expr.Expr
): Transform<Stateless> => ({
  name,
  hyperParameters,
  needs: {},
  init: () => null,
  update: (updates, state) => ({ updates: Leaves.map(updates, (g) => rule(g)), state })
})

/** A transform without state that looks at updates and parameters, leaf by leaf. */
export const statelessWithParams = (
  { hyperParameters = {}, name }: Named,
  rule: (g: Expr.Expr, p: Expr.Expr) => Expr.Expr
): Transform<Stateless, "params"> => ({
  name,
  hyperParameters,
  needs: { params: name },
  init: () => null,
  update: (updates, state, { params }) => ({ updates: Leaves.map(updates, params, (g, p) => rule(g, p)), state })
})

/** A transform without state that looks at all leaves together. */
export const statelessOnTree = (
  { hyperParameters = {}, name }: Named,
  rule: (updates: Leaves.Leaves<Expr.Expr>) => Leaves.Leaves<Expr.Expr>
): Transform<Stateless> => ({
  name,
  hyperParameters,
  needs: {},
  init: () => null,
  update: (updates, state) => ({ updates: rule(updates), state })
})

const anyLeaf = Expr.input(0, { shape: [], dtype: "float32" })

/** The records of all leaves as a record of lists; the names are those that `init` gives to any leaf. */
const columns = <S extends Slots>(names: ReadonlyArray<keyof S>, rows: Leaves.Leaves<S>): SlotLists<S> =>
  // A record of these names, each with a list of its own type.
  Object.fromEntries(names.map((name) => [name, Leaves.map(rows, (row) => row[name])])) as SlotLists<S>

const row = <S extends Slots>(names: ReadonlyArray<keyof S>, lists: SlotLists<S>, index: number): S =>
  // The items of the lists of these names.
  Object.fromEntries(names.map((name) => [name, lists[name].items[index]])) as S

/** What a rule returns: the update, and every slot anew. */
export type Outcome<S> = S & { readonly update: Expr.Expr }

/** A rule for one leaf with slots. */
export interface LeafRule<S extends Slots> extends Named {
  /** The slots before the first update, for the parameter `p`. */
  readonly init: (p: Expr.Expr) => S
}

interface Lifted<S extends Slots> {
  readonly init: (params: Leaves.Leaves<Expr.Expr>) => SlotLists<S>
  readonly update: (
    updates: Leaves.Leaves<Expr.Expr>,
    lists: SlotLists<S>,
    rule: (g: Expr.Expr, slots: S, index: number) => Outcome<S>
  ) => { readonly updates: Leaves.Leaves<Expr.Expr>; readonly slots: SlotLists<S> }
}

const lift = <S extends Slots>(init: (p: Expr.Expr) => S): Lifted<S> => {
  const names = Object.keys(init(anyLeaf)) as ReadonlyArray<keyof S & string>
  return {
    init: (params) =>
      columns(
        names,
        Leaves.map(params, (p) => init(p))
      ),
    update: (updates, lists, rule) => {
      const outcomes = Leaves.map(updates, (g, index) => rule(g, row(names, lists, index), index))
      return { updates: Leaves.map(outcomes, ({ update }) => update), slots: columns<S>(names, outcomes) }
    }
  }
}

/** A transform with slots. */
export const withSlots = <S extends Slots>({
  hyperParameters = {},
  init,
  name,
  update
}: LeafRule<S> & { readonly update: (g: Expr.Expr, slots: S) => Outcome<S> }): Transform<SlotLists<S>> => {
  const lifted = lift(init)
  return {
    name,
    hyperParameters,
    needs: {},
    init: lifted.init,
    update: (updates, state) => {
      const { slots, updates: next } = lifted.update(updates, state, update)
      return { updates: next, state: slots }
    }
  }
}

/** A transform with slots whose rule also sees the parameters. */
export const withSlotsAndParams = <S extends Slots>(
  rule: LeafRule<S> & { readonly update: (g: Expr.Expr, slots: S, p: Expr.Expr) => Outcome<S> }
): Transform<SlotLists<S>, "params"> => {
  const lifted = lift(rule.init)
  return {
    name: rule.name,
    hyperParameters: rule.hyperParameters ?? {},
    needs: { params: rule.name },
    init: lifted.init,
    update: (updates, state, { params }) => {
      const { slots, updates: next } = lifted.update(updates, state, (g, own, index) =>
        rule.update(g, own, params.items[index] ?? g)
      )
      return { updates: next, state: slots }
    }
  }
}

/** Numbers of the host that all leaves share, by name. */
type Numbers = { readonly [name: string]: Scalar.Scalar }

/** A transform with slots, and with numbers that all leaves share; the rule sees those before the update. */
export const withNumbers = <N extends Numbers, S extends Slots>({
  hyperParameters = {},
  init,
  name,
  next,
  numbers,
  update
}: LeafRule<S> & {
  /** The numbers before the first update. */
  readonly numbers: N
  /** The numbers after an update. */
  readonly next: (numbers: N) => N
  readonly update: (g: Expr.Expr, slots: S, numbers: N) => Outcome<S>
}): Transform<N & SlotLists<S>> => {
  const lifted = lift(init)
  return {
    name,
    hyperParameters,
    needs: {},
    init: (params) => ({ ...numbers, ...lifted.init(params) }),
    update: (updates, state) => {
      const outcome = lifted.update(updates, state, (g, own) => update(g, own, state))
      return { updates: outcome.updates, state: { ...next(state), ...outcome.slots } }
    }
  }
}

/** A transform with slots that counts its updates: `t` is 1 in the first, as in the papers. */
export const counting = <S extends Slots>(
  rule: LeafRule<S> & { readonly update: (g: Expr.Expr, slots: S, t: Scalar.Scalar) => Outcome<S> }
): Transform<Counted & SlotLists<S>> => {
  const lifted = lift(rule.init)
  return {
    name: rule.name,
    hyperParameters: rule.hyperParameters ?? {},
    needs: {},
    init: (params) => ({ count: zero, ...lifted.init(params) }),
    update: (updates, state) => {
      const count = increment(state.count)
      const { slots, updates: next } = lifted.update(updates, state, (g, own) => rule.update(g, own, count))
      return { updates: next, state: { count, ...slots } }
    }
  }
}

/** A transform with slots that counts its updates and whose rule also sees the parameters. */
export const countingWithParams = <S extends Slots>(
  rule: LeafRule<S> & {
    readonly update: (g: Expr.Expr, slots: S, t: Scalar.Scalar, p: Expr.Expr) => Outcome<S>
  }
): Transform<Counted & SlotLists<S>, "params"> => {
  const lifted = lift(rule.init)
  return {
    name: rule.name,
    hyperParameters: rule.hyperParameters ?? {},
    needs: { params: rule.name },
    init: (params) => ({ count: zero, ...lifted.init(params) }),
    update: (updates, state, { params }) => {
      const count = increment(state.count)
      const { slots, updates: next } = lifted.update(updates, state, (g, own, index) =>
        rule.update(g, own, count, params.items[index] ?? g)
      )
      return { updates: next, state: { count, ...slots } }
    }
  }
}
