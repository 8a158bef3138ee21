/**
 * Rows of the table of optimizers: what makes one, and what it can be made with.
 *
 * A row's fields are checked against the options that the library's function takes: none is left out, each has its type.
 */
import type { Optimizer, Transform } from "@optim/core"
import type { Field } from "./field.ts"

/** An optimizer whose state is only passed on, never looked into. */
export type AnyOptimizer = Optimizer.Optimizer<unknown, "value">

/** What a training loop can give to an update. */
type Given = "params" | "value"

/** A transform, whatever its state. */
export type AnyTransform = Transform.Transform<Transform.StateOf<Transform.Any>, Given>

/** All options of a function, by name. */
type FieldsOf<O> = { readonly [K in keyof O]-?: Field<Exclude<O[K], undefined>> }

/** The option that `--step-size` and `--schedule` set, and the step size that suits the model of this program. */
interface RateOf {
  readonly field: string
  readonly stepSize: number | undefined
}

/** What is made with some options. */
export interface Row<A> {
  readonly fields: { readonly [name: string]: Field<unknown> }
  readonly rate: RateOf | undefined
  /** Of options that were decoded by the fields; a wrapper is given what it wraps, too. */
  readonly make: (options: object, inner: AnyTransform | undefined) => A
  /** Does it wrap transforms, which stand in its option `inner`? */
  readonly isWrapper: boolean
}

// Options come from the fields of an O. States only ever come back to what made them, so they may be of any type.
const row = <O, A>(
  make: (options: O, inner: AnyTransform | undefined) => unknown,
  rate: RateOf | undefined,
  fields: FieldsOf<O>
): Row<A> => ({ fields, rate, make: make as Row<A>["make"], isWrapper: false })

/** One of the optimizers of `jax.example_libraries`. */
export const seed = <O extends { readonly stepSize: unknown }, S>(
  make: (options: O) => Optimizer.Optimizer<S>,
  stepSize: number,
  fields: FieldsOf<O>
): Row<AnyOptimizer> => row(make, { field: "stepSize", stepSize }, fields)

/** A finished optimizer of Optax. */
export const alias = <O extends { readonly learningRate?: unknown }, S, Needs extends Given>(
  make: (options: O) => Transform.Transform<S, Needs>,
  stepSize: number,
  fields: FieldsOf<O>
): Row<AnyTransform> => row(make, { field: "learningRate", stepSize }, fields)

/** A transform that has no learning rate, or leaves it open, or has it under another name. */
export const part = <O extends object, S, Needs extends Given>(
  make: (options: O) => Transform.Transform<S, Needs>,
  fields: FieldsOf<O>,
  rate?: RateOf
): Row<AnyTransform> => row(make, rate, fields)

/** A transform around others. */
export const wrapper = <O extends object, S, Needs extends Given>(
  make: (inner: AnyTransform, options: O) => Transform.Transform<S, Needs>,
  fields: FieldsOf<O>
): Row<AnyTransform> => ({
  ...row((options: O, inner) => (inner === undefined ? inner : make(inner, options)), undefined, fields),
  isWrapper: true
})
