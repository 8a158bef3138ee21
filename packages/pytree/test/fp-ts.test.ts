import { assert, describe, it } from "@effect/vitest"
import { KeyPath, PyTree } from "@optim/pytree"
import * as T from "@optim/pytree/fp-ts"
import * as fc from "fast-check"
import {
  applicative,
  either as E,
  function as F,
  identity as I,
  monoid as M,
  number as N,
  option as O,
  readonlyArray as A,
  string as S,
  task as K,
  traversable
} from "fp-ts"
import { deep, tree } from "./support/trees.ts"

/** Trees held as structure and leaves; leaves are numbers, also when the plain tree had none. */
const held: fc.Arbitrary<T.PyTree<number>> = tree.map((tree) => {
  const { leaves, treedef } = T.fromTree(tree)
  return { treedef, leaves: leaves.map(Number) }
})

const toText = fc.func(fc.string())
/** Functions to containers: those that a functor on plain trees would stumble over. */
const toArray = fc.func(fc.array(fc.integer()))
const toOption = fc.func(fc.option(fc.integer()).map(O.fromNullable))
const toEither = fc.func(fc.oneof(fc.string().map(E.left), fc.integer().map(E.right)))

const same = <A>(actual: T.PyTree<A>, expected: T.PyTree<A>): void => {
  assert.isTrue(
    T.getEq<A>({ equals: (x, y) => Object.is(JSON.stringify(x), JSON.stringify(y)) }).equals(actual, expected)
  )
  assert.deepStrictEqual(actual.leaves, expected.leaves)
}

describe("functor laws", () => {
  it("identity", () => {
    fc.assert(fc.property(held, (fa) => same(T.Functor.map(fa, F.identity), fa)))
  })
  it("composition, also of functions that give containers", () => {
    fc.assert(
      fc.property(held, toArray, toText, (fa, f, g) => {
        same(
          T.Functor.map(T.Functor.map(fa, f), g),
          T.Functor.map(fa, (a) => g(f(a)))
        )
      })
    )
  })
  it("with index: the identity, and composition path by path", () => {
    const f = (path: KeyPath.KeyPath, a: number): string => KeyPath.keystr(path) + a
    const g = (path: KeyPath.KeyPath, b: string): number => path.length + b.length
    fc.assert(
      fc.property(held, (fa) => {
        same(
          T.FunctorWithIndex.mapWithIndex(fa, (_, a) => a),
          fa
        )
        same(
          T.FunctorWithIndex.mapWithIndex(T.FunctorWithIndex.mapWithIndex(fa, f), g),
          T.FunctorWithIndex.mapWithIndex(fa, (path, a) => g(path, f(path, a)))
        )
      })
    )
  })
})

describe("foldable laws", () => {
  const leaves = (fa: T.PyTree<number>): ReadonlyArray<number> =>
    T.Foldable.reduce(fa, [] as ReadonlyArray<number>, (b, a) => [...b, a])
  it("foldMap and reduceRight agree with reduce", () => {
    fc.assert(
      fc.property(held, (fa) => {
        assert.deepStrictEqual(leaves(fa), fa.leaves)
        assert.strictEqual(T.Foldable.foldMap(S.Monoid)(fa, String), leaves(fa).join(""))
        assert.deepStrictEqual(
          T.Foldable.reduceRight(fa, [] as ReadonlyArray<number>, (a, b) => [a, ...b]),
          leaves(fa)
        )
      })
    )
  })
  it("foldMap carries a homomorphism of monoids through", () => {
    const size = (text: string): number => text.length
    fc.assert(
      fc.property(held, toText, (fa, f) => {
        assert.strictEqual(
          size(T.Foldable.foldMap(S.Monoid)(fa, f)),
          T.Foldable.foldMap(N.MonoidSum)(fa, (a) => size(f(a)))
        )
      })
    )
  })
  it("the folds with index are those without, when the index is left out", () => {
    const { foldMapWithIndex, reduceRightWithIndex, reduceWithIndex } = T.FoldableWithIndex
    fc.assert(
      fc.property(held, (fa) => {
        const join = (b: string, a: number): string => `${b},${a}`
        assert.strictEqual(
          reduceWithIndex(fa, "", (_, b, a) => join(b, a)),
          T.Foldable.reduce(fa, "", join)
        )
        assert.strictEqual(
          reduceRightWithIndex(fa, "", (_, a, b) => join(b, a)),
          T.Foldable.reduceRight(fa, "", (a, b) => join(b, a))
        )
        assert.strictEqual(
          foldMapWithIndex(S.Monoid)(fa, (_, a) => String(a)),
          T.Foldable.foldMap(S.Monoid)(fa, String)
        )
      })
    )
  })
  it("the index of a leaf is its path", () => {
    fc.assert(
      fc.property(tree, (tree) => {
        const pairs = PyTree.flattenWithPath(tree)[0]
        type Pair = readonly [KeyPath.KeyPath, unknown]
        const monoid = A.getMonoid<readonly [KeyPath.KeyPath, unknown]>()
        assert.deepStrictEqual(
          T.FoldableWithIndex.foldMapWithIndex(monoid)(T.fromTree(tree), (path, leaf) => [[path, leaf]]),
          pairs
        )
        assert.deepStrictEqual(
          F.pipe(
            T.fromTree(tree),
            T.reduceRightWithIndex([] as ReadonlyArray<Pair>, (path, leaf: unknown, rest): ReadonlyArray<Pair> => [
              [path, leaf],
              ...rest
            ])
          ),
          pairs
        )
      })
    )
  })
})

describe("traversable laws", () => {
  const { sequence, traverse } = T.Traversable
  it("identity", () => {
    fc.assert(fc.property(held, toText, (ta, f) => same(traverse(I.Applicative)(ta, f), T.Functor.map(ta, f))))
  })
  it("naturality: a transformation of applicatives goes through", () => {
    const toLeft = <A>(fa: O.Option<A>): E.Either<string, A> => E.fromOption(() => "none")(fa)
    fc.assert(
      fc.property(held, toOption, (ta, f) => {
        assert.deepStrictEqual(
          toLeft(traverse(O.Applicative)(ta, f)),
          traverse(E.Applicative)(ta, (a) => toLeft(f(a)))
        )
      })
    )
  })
  it("composition: two traversals are one, in the composed applicative", () => {
    const composed = applicative.getApplicativeComposition(O.Applicative, E.Applicative)
    fc.assert(
      fc.property(held, toOption, toEither, (ta, f, g) => {
        const inOne = traverse(composed as never)(ta, ((a: number) => O.Functor.map(f(a), g)) as never) as unknown
        const inTwo = O.Functor.map(traverse(O.Applicative)(ta, f), (tb) => traverse(E.Applicative)(tb, g))
        assert.deepStrictEqual(inOne, inTwo)
      })
    )
  })
  it("sequence is traverse of the identity", () => {
    fc.assert(
      fc.property(held, toOption, (ta, f) => {
        const effects = T.Functor.map(ta, f)
        assert.deepStrictEqual(sequence(O.Applicative)(effects), traverse(O.Applicative)(ta, f))
      })
    )
  })
  it("functor and foldable follow from traverse", () => {
    fc.assert(
      fc.property(held, toText, (ta, f) => {
        const constant = {
          URI: "Const",
          _E: undefined,
          map: F.identity,
          of: () => "",
          ap: (x: string, y: string) => x + y
        }
        assert.deepStrictEqual<unknown>(
          traverse(constant as never)(ta, f as never),
          T.Foldable.foldMap(S.Monoid)(ta, f)
        )
      })
    )
  })
  it("effects run from left to right", async () => {
    const log: Array<number> = []
    const task =
      (a: number): K.Task<number> =>
      () => {
        log.push(a)
        return Promise.resolve(-a)
      }
    const done = await traverse(K.ApplicativeSeq)(T.fromTree({ b: [2, 3], a: 1 }), task)()
    assert.deepStrictEqual(
      [log, done.leaves],
      [
        [1, 2, 3],
        [-1, -2, -3]
      ]
    )
  })
  it("with index: the paths of the leaves, and the same results", () => {
    fc.assert(
      fc.property(held, toOption, (ta, f) => {
        const { traverseWithIndex } = T.TraversableWithIndex
        assert.deepStrictEqual(
          traverseWithIndex(O.Applicative)(ta, (_, a) => f(a)),
          traverse(O.Applicative)(ta, f)
        )
        const shown = traverseWithIndex(I.Applicative)(ta, (path) => KeyPath.keystr(path))
        same(shown, T.mapWithIndex((path) => KeyPath.keystr(path))(ta))
      })
    )
  })
})

describe("cases", () => {
  it("a plain tree comes back in its own type", () => {
    const roots: O.Option<{ w: number; b: Array<number> }> = F.pipe(
      T.fromTree({ w: 4, b: [9] }),
      T.traverse(O.Applicative)((x) => (x < 0 ? O.none : O.some(Math.sqrt(x)))),
      O.map(T.toTree)
    )
    assert.deepStrictEqual(roots, O.some({ w: 2, b: [3] }))
  })
  it("a leaf made of one value", () => {
    assert.deepStrictEqual(T.toTree(T.of([1, 2])), [1, 2])
    assert.deepStrictEqual(T.of([1, 2]).leaves, [[1, 2]])
  })
  it("works with the functions of fp-ts that ask for instances", () => {
    const nested = traversable.traverse(T.Traversable, A.Traversable)(O.Applicative)
    const trees = T.fromTree({ a: 1 }).treedef
    assert.deepStrictEqual(
      nested((x: number) => (x > 0 ? O.some(-x) : O.none))({ treedef: trees, leaves: [[1, 2]] }),
      O.some({ treedef: trees, leaves: [[-1, -2]] })
    )
    assert.strictEqual(M.concatAll(N.MonoidSum)(T.fromTree([1, { a: 2 }]).leaves), 3)
  })
  it("equality sees structure and leaves, show prints both", () => {
    const { equals } = T.getEq(N.Eq)
    assert.isTrue(equals(T.fromTree({ a: 1, b: 2 }), T.fromTree({ b: 2, a: 1 })))
    assert.isFalse(equals(T.fromTree({ a: 1, b: 2 }), T.fromTree({ a: 1, b: 3 })))
    assert.isFalse(equals(T.fromTree([1, 2]), T.fromTree([[1, 2]]) as T.PyTree<number>))
    assert.strictEqual(T.getShow(S.Show).show(T.fromTree(["a", ["b"]])), 'PyTreeDef([*, [*]])["a", "b"]')
  })
  it("100,000 leaves, and as many levels", () => {
    const wide = T.fromTree(Array.from({ length: 100_000 }, (_, index) => index))
    const sum = F.pipe(wide, T.traverse(O.Applicative)(O.some), O.map(T.foldMap(N.MonoidSum)(F.identity)))
    assert.deepStrictEqual(sum, O.some(4_999_950_000))
    const tall = F.pipe(
      T.fromTree(deep(100_000, 1)),
      T.traverseWithIndex(I.Applicative)((path) => path.length),
      T.toTree
    )
    assert.deepStrictEqual(PyTree.leaves(tall), [100_000])
  })
})
