/** What stands under a name, at the level of types. */
import type { PyTree } from "@optim/pytree"
import type { Tensor, TypedArray } from "@tensorflow/tfjs-core"
import type { OfTransform, OptimizerState } from "../../OptimizerState.ts"
import type { State } from "../transform/transform.ts"

type IsAny<T> = 0 extends 1 & T ? true : false

/** How many levels are looked into: recursive types would never end. */
type Levels = [never, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
type Level = Levels[number] | 16
type Below<D extends Level> = Levels[D & number] & Level

type Leaf = Tensor | TypedArray | ((...args: never) => unknown)

/**
 * The type of what stands under a name in a state of type `S`, as a union if there are several; `unknown` if nothing is
 * known of the state.
 */
export type Named<S, Name extends string, D extends Level = 16> =
  IsAny<S> extends true
    ? S
    : unknown extends S
      ? unknown
      : [D] extends [never]
        ? never
        : S extends Leaf
          ? never
          : S extends OptimizerState<infer P, OfTransform<infer T>>
            ? Named<State<T, P>, Name, Below<D>>
            : S extends ReadonlyArray<infer A>
              ? Named<A, Name, Below<D>>
              : S extends PyTree.Node
                ? unknown
                : S extends object
                  ? NamedIn<S, Name, D>
                  : never

type NamedIn<S extends object, Name extends string, D extends Level> =
  | (Name extends keyof S ? S[Name] : never)
  | { [K in keyof S]-?: Named<S[K], Name, Below<D>> }[keyof S]

/** The names in a state of type `S`; any string if nothing is known of the state. */
export type Names<S, D extends Level = 16> =
  IsAny<S> extends true
    ? string
    : unknown extends S
      ? string
      : [D] extends [never]
        ? never
        : S extends Leaf
          ? never
          : S extends OptimizerState<infer P, OfTransform<infer T>>
            ? Names<State<T, P>, Below<D>>
            : S extends ReadonlyArray<infer A>
              ? Names<A, Below<D>>
              : S extends PyTree.Node
                ? string
                : S extends object
                  ? NamesIn<S, D>
                  : never

type NamesIn<S extends object, D extends Level> =
  | (keyof S & string)
  | { [K in keyof S]-?: Names<S[K], Below<D>> }[keyof S]
