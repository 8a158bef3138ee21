import type { KeyPath } from "@optim/pytree"
import * as T from "@optim/pytree/fp-ts"
import { function as F, type option as O, option, taskEither as TE } from "fp-ts"
import type { FoldableWithIndex1 } from "fp-ts/lib/FoldableWithIndex.js"
import type { Functor1 } from "fp-ts/lib/Functor.js"
import type { Kind } from "fp-ts/HKT.js"
import type { Traversable1 } from "fp-ts/lib/Traversable.js"
import { describe, expectTypeOf, test } from "vitest"

describe("fp-ts", () => {
  test("the instances are fp-ts' own", () => {
    expectTypeOf<Kind<T.URI, number>>().toEqualTypeOf<T.PyTree<number>>()
    expectTypeOf(T.Functor).toExtend<Functor1<T.URI>>()
    expectTypeOf(T.Traversable).toExtend<Traversable1<T.URI>>()
    expectTypeOf(T.FoldableWithIndex).toExtend<FoldableWithIndex1<T.URI, KeyPath.KeyPath>>()
  })
  test("the functions keep the type of the tree", () => {
    const params = T.fromTree({ w: 1, b: ["x"] })
    expectTypeOf(params).toEqualTypeOf<T.PyTree<string | number, { w: number; b: Array<string> }>>()
    expectTypeOf(F.pipe(params, T.map(String), T.toTree)).toEqualTypeOf<{ w: string; b: Array<string> }>()
    const traversed = F.pipe(
      params,
      T.traverse(option.Applicative)(() => option.some(true)),
      option.map(T.toTree)
    )
    expectTypeOf(traversed).toEqualTypeOf<O.Option<{ w: boolean; b: Array<boolean> }>>()
    const tasks = F.pipe(
      params,
      T.traverseWithIndex(TE.ApplicativePar)((path) => TE.right<Error, number>(path.length))
    )
    expectTypeOf(tasks).toEqualTypeOf<TE.TaskEither<Error, T.PyTree<number, { w: number; b: Array<string> }>>>()
  })
  test("a function that does not take the leaves is refused", () => {
    F.pipe(
      T.fromTree([1]),
      // @ts-expect-error the leaves are numbers
      T.map((leaf: string) => leaf)
    )
  })
})
