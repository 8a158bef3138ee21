/**
 * What a transform is: the part of an optimizer that turns gradients into updates, as a rule on symbols.
 *
 * A transform holds no numbers. `init` and `update` are traced like the rules of optimizers: once for each structure of
 * parameters, into one program together with whatever else is in the chain. Its state is a tree whose parts are lists of
 * leaves (`Leaves`, one symbolic tensor or sub-tree for each leaf of the parameters), tensors of their own (`Expr`), and
 * numbers of the host (`Scalar`: counters, rates).
 */
import type { PyTree } from "@optim/pytree"
import type { Tensor } from "@tensorflow/tfjs-core"
import type { Expr } from "../../Expr.ts"
import type { Leaves } from "../../Leaves.ts"
import type { Scalar } from "../../Scalar.ts"
import type { HyperParameters } from "../optimizer/hyperParameters.ts"

/** What a transform may be given beside the updates: the parameters, or numbers of the host by name. */
type Extra<Name extends string> = Name extends "params" ? Leaves<Expr> : Scalar

/** What an update can see and ask, given what it needs. */
export type Context<Needs extends string> = {
  readonly [Name in Needs]: Extra<Name>
} & {
  /**
   * Which way to go, decided by the host before anything is computed: another program is traced for either answer. A
   * scalar holds unless it is 0. A tensor of shape [] is computed first and read back, which stalls a GPU.
   */
  readonly branch: (condition: Scalar | Expr) => boolean
}

/** What an update gives: the updates, and the state that comes next, of the same structure. */
export interface Step<S> {
  readonly updates: Leaves<Expr>
  readonly state: S
}

/** A rule that turns gradients into updates; `S` is its symbolic state, `Needs` what it must be given besides. */
export interface Transform<in out S, out Needs extends string = never> {
  /** The name in messages. */
  readonly name: string
  readonly hyperParameters: HyperParameters
  /** Those that decide shapes or the program: `injectHyperparams` leaves them as they are. */
  readonly fixed?: ReadonlyArray<string>
  /** What it needs besides the updates, each with the name of the transform that needs it. */
  readonly needs: { readonly [need: string]: string }
  /** The state before the first update. */
  readonly init: (params: Leaves<Expr>) => S
  /** Updates that are to be added to the parameters, or given to the next transform. */
  readonly update: (updates: Leaves<Expr>, state: S, context: Context<Needs>) => Step<S>
}

/** A transform whatever its state and needs. */
// `Transform` is invariant in its state, so no other type holds all of them
// oxlint-disable-next-line typescript/no-explicit-any
export type Any = Transform<any, any>

/** The symbolic state of a transform. */
export type StateOf<T> = T extends Transform<infer S, infer _> ? S : never

/** What a transform needs. */
export type NeedsOf<T> = T extends Transform<infer _, infer Needs> ? Needs : never

/**
 * The state of a transform for parameters of type `P`, as the user sees it: trees of tensors in the place of lists of
 * leaves, numbers in the place of scalars.
 */
export type State<S, P> =
  S extends Leaves<infer A>
    ? PyTree.Mapped<P, State<A, P>>
    : S extends Expr
      ? Tensor
      : S extends Scalar
        ? number
        : S extends ReadonlyArray<unknown> | object
          ? { readonly [K in keyof S]: State<S[K], P> }
          : S

/** A state in which leaves may be missing. */
export type Partial<S> =
  S extends Leaves<infer A>
    ? Leaves<A | null>
    : S extends Expr | Scalar
      ? S
      : S extends ReadonlyArray<unknown> | object
        ? { readonly [K in keyof S]: Partial<S[K]> }
        : S
