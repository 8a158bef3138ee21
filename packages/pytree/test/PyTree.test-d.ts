import { type JoinPoint, type KeyPath, PyTree, TreeDef } from "@optim/pytree"
import type * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { describe, expectTypeOf, test } from "vitest"

/** A leaf as classes of tensors are: an object with methods. */
interface Tensor {
  readonly shape: ReadonlyArray<number>
  dataSync(): Float32Array
}

declare const tensor: Tensor
const toNumber = (leaf: Tensor): number => leaf.shape.length

class Point extends Data.Class<{ readonly x: number; readonly y: number }> {
  norm(): number {
    return Math.hypot(this.x, this.y)
  }
}
class Layer extends Schema.TaggedClass<Layer>()("Layer", {
  w: Schema.Finite,
  name: Schema.optionalKey(Schema.String)
}) {}
class Box<A> {
  readonly content: A
  constructor(content: A) {
    this.content = content
  }
  get [PyTree.symbol](): PyTree.NodeType<Box<A>, undefined, A> {
    return {
      flatten: (self) => ({ children: [self.content] }),
      unflatten: (_, children) => new Box(children.at(0) as A)
    }
  }
}

type Recursive = number | ReadonlyArray<Recursive> | { readonly [key: string]: Recursive }

describe("Leaf", () => {
  test("leaves of containers", () => {
    expectTypeOf<PyTree.Leaf<{ w: Tensor; b: Array<Tensor> }>>().toEqualTypeOf<Tensor>()
    expectTypeOf<PyTree.Leaf<readonly [number, { a: string }, null]>>().toEqualTypeOf<number | string>()
    expectTypeOf<PyTree.Leaf<{ a?: number; b: undefined; c: boolean | null }>>().toEqualTypeOf<number | boolean>()
    expectTypeOf<PyTree.Leaf<Option.Option<{ a: Chunk.Chunk<bigint> }>>>().toEqualTypeOf<bigint>()
    expectTypeOf<PyTree.Leaf<Array<Point | Layer>>>().toEqualTypeOf<number | string>()
    expectTypeOf<PyTree.Leaf<Box<{ a: Date }>>>().toEqualTypeOf<Date>()
    expectTypeOf<PyTree.Leaf<{ readonly [key: string]: symbol }>>().toEqualTypeOf<symbol>()
    expectTypeOf<PyTree.Leaf<{}>>().toEqualTypeOf<never>()
    expectTypeOf<PyTree.Leaf<null>>().toEqualTypeOf<never>()
  })
  test("leaves that are objects", () => {
    expectTypeOf<PyTree.Leaf<Float32Array>>().toEqualTypeOf<Float32Array>()
    expectTypeOf<PyTree.Leaf<Map<string, number>>>().toEqualTypeOf<Map<string, number>>()
    expectTypeOf<PyTree.Leaf<JoinPoint.JoinPoint<{ a: number }>>>().toEqualTypeOf<JoinPoint.JoinPoint<{ a: number }>>()
    expectTypeOf<PyTree.Leaf<(x: number) => string>>().toEqualTypeOf<(x: number) => string>()
    expectTypeOf<PyTree.Leaf<typeof Point>>().toEqualTypeOf<typeof Point>()
    expectTypeOf<PyTree.Leaf<Effect.Effect<number>>>().toEqualTypeOf<Effect.Effect<number>>()
    expectTypeOf<PyTree.Leaf<Promise<number>>>().toEqualTypeOf<Promise<number>>()
  })
  test("types without an end", () => {
    expectTypeOf<PyTree.Leaf<Recursive>>().toEqualTypeOf<number>()
    expectTypeOf<PyTree.Leaf<unknown>>().toEqualTypeOf<unknown>()
    expectTypeOf<PyTree.Leaf<{ a: unknown }>>().toEqualTypeOf<unknown>()
    expectTypeOf<PyTree.Leaf<Array<object>>>().toEqualTypeOf<unknown>()
    expectTypeOf<PyTree.Mapped<object, number>>().toEqualTypeOf<unknown>()
    expectTypeOf<PyTree.Leaf<{ a?: number }>>().toEqualTypeOf<number>()
    // oxlint-disable-next-line typescript/no-explicit-any -- the subject of the test
    expectTypeOf<PyTree.Leaf<any>>().toBeAny()
  })
  test("leaves by a guard", () => {
    expectTypeOf<PyTree.Leaf<{ a: [number, number]; b: string }, [number, number]>>().toEqualTypeOf<
      [number, number] | string
    >()
    expectTypeOf<PyTree.Leaf<{ a: number | null }, null>>().toEqualTypeOf<number | null>()
  })
})

describe("Mapped", () => {
  test("keeps the structure of the user's type", () => {
    expectTypeOf<PyTree.Mapped<{ w: Tensor; b: Array<Tensor> }, number>>().toEqualTypeOf<{
      w: number
      b: Array<number>
    }>()
    expectTypeOf<PyTree.Mapped<readonly [Tensor, Tensor], number>>().toEqualTypeOf<readonly [number, number]>()
    expectTypeOf<PyTree.Mapped<[a: Tensor, b?: Tensor], number>>().toEqualTypeOf<[a: number, b?: number | null]>()
    expectTypeOf<PyTree.Mapped<ReadonlyArray<Tensor>, string>>().toEqualTypeOf<ReadonlyArray<string>>()
    expectTypeOf<PyTree.Mapped<{ readonly a?: Tensor; b: Tensor | null }, number>>().toEqualTypeOf<{
      readonly a?: number
      b: number | null
    }>()
    expectTypeOf<PyTree.Mapped<{ a: undefined; b?: Tensor | undefined }, number>>().toEqualTypeOf<{
      a: null
      b?: number | null
    }>()
    expectTypeOf<PyTree.Mapped<Record<string, Tensor>, number>>().toEqualTypeOf<Record<string, number>>()
    expectTypeOf<PyTree.Mapped<Option.Option<Tensor>, number>>().toEqualTypeOf<Option.Option<number>>()
    expectTypeOf<PyTree.Mapped<Chunk.Chunk<Tensor>, number>>().toEqualTypeOf<Chunk.Chunk<number>>()
    expectTypeOf<PyTree.Mapped<boolean, string>>().toEqualTypeOf<string>()
    expectTypeOf<PyTree.Mapped<Tensor, number>>().toEqualTypeOf<number>()
  })
  test("of class instances", () => {
    expectTypeOf<PyTree.Mapped<Point, string>["x"]>().toEqualTypeOf<string>()
    expectTypeOf<PyTree.Mapped<Point, string>["norm"]>().toEqualTypeOf<() => number>()
    expectTypeOf<PyTree.Mapped<Box<number>, number>>().toEqualTypeOf<Box<number>>()
    expectTypeOf<PyTree.Mapped<Box<number>, string>>().toEqualTypeOf<unknown>()
  })
  test("of types without an end", () => {
    expectTypeOf<PyTree.Mapped<{ a: unknown }, number>>().toEqualTypeOf<{ a: unknown }>()
    // oxlint-disable-next-line typescript/no-explicit-any -- the subject of the test
    expectTypeOf<PyTree.Mapped<any, number>>().toBeAny()
    const mapped: PyTree.Mapped<Recursive, string> = { a: ["b", { c: "d" }] }
    // @ts-expect-error a leaf is a string now
    const wrong: PyTree.Mapped<Recursive, string> = { a: ["b", { c: 1 }] }
    expectTypeOf<typeof mapped | typeof wrong>().not.toBeNever()
  })
})

describe("map", () => {
  const params = { w: tensor, b: [tensor] }
  test("one tree", () => {
    expectTypeOf(PyTree.map(params, toNumber)).toEqualTypeOf<{ w: number; b: Array<number> }>()
    expectTypeOf(PyTree.map(params, (leaf) => leaf.shape.length)).toEqualTypeOf<{ w: number; b: Array<number> }>()
    expectTypeOf(pipe(params, PyTree.map(toNumber))).toEqualTypeOf<{ w: number; b: Array<number> }>()
    expectTypeOf(PyTree.mapWithPath(params, (_path, leaf) => leaf.dataSync())).toEqualTypeOf<{
      w: Float32Array
      b: Array<Float32Array>
    }>()
    expectTypeOf(
      pipe(
        params,
        PyTree.mapWithPath((path: KeyPath.KeyPath, leaf: Tensor) => leaf.shape.map(() => path))
      )
    ).toEqualTypeOf<{
      w: Array<KeyPath.KeyPath>
      b: Array<Array<KeyPath.KeyPath>>
    }>()
  })
  test("a function that does not take the leaves is refused", () => {
    // @ts-expect-error the leaves are tensors
    PyTree.map(params, (leaf: string) => leaf)
    pipe(
      params,
      // @ts-expect-error the leaves are tensors
      PyTree.map((leaf: string) => leaf)
    )
  })
  test("several trees: the parts at the first tree's leaves", () => {
    const slots = { w: { m: 1 }, b: [{ m: 2 }] }
    PyTree.map(params, slots, (leaf, slot) => {
      expectTypeOf(leaf).toEqualTypeOf<Tensor>()
      expectTypeOf(slot).toEqualTypeOf<{ m: number }>()
      return 0
    })
    PyTree.map(params, params, slots, (leaf, same, slot) => {
      expectTypeOf([leaf, same] as const).toEqualTypeOf<readonly [Tensor, Tensor]>()
      expectTypeOf(slot).toEqualTypeOf<{ m: number }>()
      return 0
    })
    expectTypeOf(PyTree.map(params, slots, (_, slot) => slot.m)).toEqualTypeOf<{ w: number; b: Array<number> }>()
  })
  test("with isLeaf", () => {
    const isPair = (u: unknown): u is [number, number] => Array.isArray(u) && u.length === 2
    const tree: { a: [number, number]; b: Array<number> } = { a: [1, 2], b: [3] }
    expectTypeOf(PyTree.map(tree, (leaf) => typeof leaf, { isLeaf: isPair }).a).toBeString()
    PyTree.map(
      tree,
      (leaf) => {
        expectTypeOf(leaf).toEqualTypeOf<number | [number, number]>()
      },
      { isLeaf: isPair }
    )
    PyTree.map(
      tree,
      (leaf) => {
        expectTypeOf(leaf).toEqualTypeOf<unknown>()
      },
      { isLeaf: (u: unknown): boolean => u !== null }
    )
  })
  test("in generic code", () => {
    const double = <P>(params: P): PyTree.Mapped<P, number> => PyTree.map(params, (leaf) => Number(leaf) * 2)
    expectTypeOf(double({ a: 1, b: [2] })).toEqualTypeOf<{ a: number; b: Array<number> }>()
    const shapes = <P>(params: P, f: (leaf: PyTree.Leaf<P>) => number) =>
      PyTree.unflatten(PyTree.structure(params), PyTree.leaves(params).map(f))
    expectTypeOf(shapes({ a: tensor }, toNumber)).toEqualTypeOf<{ a: number }>()
  })
})

describe("the other functions", () => {
  test("flatten and unflatten", () => {
    const [leaves, treedef] = PyTree.flatten({ w: tensor, b: [1] })
    expectTypeOf(leaves).toEqualTypeOf<Array<Tensor | number>>()
    expectTypeOf(treedef).toEqualTypeOf<TreeDef.TreeDef<{ w: Tensor; b: Array<number> }>>()
    expectTypeOf(PyTree.unflatten(treedef, ["x"])).toEqualTypeOf<{ w: string; b: Array<string> }>()
    expectTypeOf(treedef).toExtend<TreeDef.TreeDef>()
    const [pairs] = PyTree.flattenWithPath([tensor])
    expectTypeOf(pairs).toEqualTypeOf<Array<readonly [KeyPath.KeyPath, Tensor]>>()
  })
  test("a structure taken with isLeaf ends where the guard says", () => {
    const isPair = (u: unknown): u is [number, number] => Array.isArray(u) && u.length === 2
    const pairs: { a: [number, number]; b: Array<number> } = { a: [1, 2], b: [] }
    const mapped = PyTree.unflatten(PyTree.structure(pairs, { isLeaf: isPair }), [true])
    expectTypeOf(mapped).toEqualTypeOf<{ a: boolean; b: Array<boolean> }>()
    const [, anything] = PyTree.flatten(pairs, { isLeaf: (u: unknown): boolean => u === 1 })
    expectTypeOf(anything).toEqualTypeOf<TreeDef.TreeDef>()
    const table = PyTree.transpose(PyTree.structure([0]), null, [pairs], { isLeaf: isPair })
    expectTypeOf(table.a).toEqualTypeOf<Array<number | [number, number]>>()
  })
  test("folds", () => {
    expectTypeOf(PyTree.reduce({ a: 1 }, "", (text, leaf) => text + leaf.toFixed())).toBeString()
    expectTypeOf(PyTree.reduceAssociative({ a: 1, b: [2] }, (x, y) => x + y)).toBeNumber()
    expectTypeOf(PyTree.all({ a: 1 }, (leaf) => leaf > 0)).toBeBoolean()
  })
  test("transpose, broadcast, ravel", () => {
    const states = { w: { m: 1, v: "x" }, b: { m: 1, v: "x" } }
    const outer = PyTree.structure({ w: 0, b: 0 })
    type Row = { w: number | string; b: number | string }
    expectTypeOf(PyTree.transpose(outer, null, states)).toEqualTypeOf<{ m: Row; v: Row }>()
    expectTypeOf(PyTree.transpose(outer, PyTree.structure({ m: 0, v: 0 }), states)).toEqualTypeOf<{ m: Row; v: Row }>()
    expectTypeOf(PyTree.broadcast({ a: true }, { a: { x: 1, y: [2] } })).toEqualTypeOf<{
      a: { x: boolean; y: Array<boolean> }
    }>()
    expectTypeOf(PyTree.ravel({ a: Float32Array.of(1) }).unravel([1])).toEqualTypeOf<{ a: Float32Array<ArrayBuffer> }>()
    expectTypeOf(TreeDef.compose(outer, PyTree.structure([1]))).toEqualTypeOf<
      TreeDef.TreeDef<{ w: Array<number>; b: Array<number> }>
    >()
  })
  test("register", () => {
    PyTree.register(Point, PyTree.fields(Point))
    // @ts-expect-error it takes apart something else
    PyTree.register(Point, PyTree.fields(Map))
  })
})
