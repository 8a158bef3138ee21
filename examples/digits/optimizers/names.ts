/**
 * The names of optimizers and transforms.
 *
 * Six of Optax's bear the name of one of JAX's and give other numbers. Where an optimizer is asked for, such a name means
 * JAX's, and `transform.adam` is Optax's; in a chain all are Optax's, since JAX's are no transforms.
 */
import type { AnyOptimizer, AnyTransform, Row } from "./row.ts"
import { aliases, parts, seeds, wrappers } from "./table.ts"

type Rows<A> = { readonly [name: string]: Row<A> }

const optimizerRows: Rows<AnyOptimizer> = seeds

const transformRows: Rows<AnyTransform> = { ...aliases, ...parts, ...wrappers }

const prefix = "transform."

const plain = (name: string): string => (name.startsWith(prefix) ? name.slice(prefix.length) : name)

const isIn = (rows: object, name: string): boolean => Object.hasOwn(rows, name)

const ofTransform = (name: string): string => (isIn(seeds, name) ? prefix + name : name)

/** Every name that can be asked for as an optimizer, those of JAX first. */
export const names: ReadonlyArray<string> = [...Object.keys(seeds), ...Object.keys(aliases).map(ofTransform)]

/** The names of transforms, for chains. */
export const transformNames: ReadonlyArray<string> = Object.keys(transformRows)

/** The one name of the optimizer that is meant, if there is one. */
export const optimizerNamed = (name: string): string | undefined => {
  if (isIn(seeds, name)) return name
  return isIn(aliases, plain(name)) ? ofTransform(plain(name)) : undefined
}

/** The one name of the transform that is meant, if there is one. */
export const transformNamed = (name: string): string | undefined =>
  isIn(transformRows, plain(name)) ? ofTransform(plain(name)) : undefined

/** The row of one of JAX's optimizers. */
export const optimizerRow = (name: string): Row<AnyOptimizer> | undefined =>
  isIn(seeds, name) ? optimizerRows[name] : undefined

/** The row of a transform. */
export const transformRow = (name: string): Row<AnyTransform> | undefined => {
  if (optimizerRow(name) !== undefined || transformNamed(name) === undefined) return undefined
  return transformRows[plain(name)]
}

/** The row of either. */
export const rowOf = (name: string): Row<AnyOptimizer | AnyTransform> | undefined =>
  optimizerRow(name) ?? transformRow(name)
