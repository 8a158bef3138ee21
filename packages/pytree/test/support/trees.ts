/** Random trees, and the classes that occur in them. */
import { assert } from "@effect/vitest"
import { PyTree } from "@optim/pytree"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"

/** A node by inheritance from effect. */
export class Point extends Data.Class<{ readonly x: unknown; readonly y: unknown }> {
  get both(): ReadonlyArray<unknown> {
    return [this.x, this.y]
  }
}

/** A node by inheritance from effect's schemas. */
export class Layer extends Schema.TaggedClass<Layer>()("Layer", { w: Schema.Unknown }) {}

/** A node by the protocol, with metadata and without keys. */
export class Labeled {
  readonly label: string
  readonly parts: ReadonlyArray<unknown>
  constructor(label: string, parts: ReadonlyArray<unknown>) {
    this.label = label
    this.parts = parts
  }
  get [PyTree.symbol](): PyTree.NodeType<Labeled, string> {
    return labeledType
  }
}

export const labeledType: PyTree.NodeType<Labeled, string> = {
  name: "test/Labeled",
  metadata: Schema.String,
  flatten: (self) => ({ children: self.parts, metadata: self.label }),
  unflatten: (label, parts) => new Labeled(label, parts)
}

/** A node by registration. */
export class Registered {
  readonly first: unknown
  readonly rest: unknown
  readonly unit: string
  constructor(first: unknown, rest: unknown, unit: string) {
    this.first = first
    this.rest = rest
    this.unit = unit
  }
}

PyTree.register(Registered, PyTree.fields(Registered, { name: "test/Registered", fixed: { unit: Schema.String } }))

const nasty = [
  "__proto__",
  "constructor",
  "toString",
  "10",
  "9",
  "é",
  "\u{1f600}",
  "\uffff",
  "'",
  '"',
  "\\",
  "",
  " ",
  "_tag"
]

/** Keys that have made trouble somewhere, and others. */
export const key: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ maxLength: 3 }),
  fc.string({ maxLength: 2, unit: "binary" })
)

/** An object with these entries as own data, whatever their keys. */
export const objectOf = (entries: ReadonlyArray<readonly [string, unknown]>): object => {
  const object = {}
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return object
}

const below = (self: fc.Arbitrary<unknown>): ReadonlyArray<fc.Arbitrary<unknown>> => [
  fc.array(self, { maxLength: 4 }),
  fc.array(fc.tuple(key, self), { maxLength: 4 }).map(objectOf),
  fc.option(self).map((value) => (value === null ? Option.none() : Option.some(value))),
  fc.array(self, { maxLength: 3 }).map(Chunk.fromIterable),
  fc.tuple(self, self).map(([x, y]) => new Point({ x, y })),
  self.map((w) => new Layer({ w })),
  fc
    .tuple(fc.constantFrom("a", "b"), fc.array(self, { maxLength: 3 }))
    .map(([label, parts]) => new Labeled(label, parts)),
  fc.tuple(self, self, fc.constantFrom("m", "s")).map(([a, b, unit]) => new Registered(a, b, unit))
]

/** Trees of all kinds of nodes around leaves of one kind. */
export const treeOf = (leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: "small", maxDepth: 5, withCrossShrink: true },
      leaf,
      fc.constant(null),
      ...below(tie("tree"))
    )
  })).tree

/** Trees of small integers. */
export const tree: fc.Arbitrary<unknown> = treeOf(fc.integer({ min: -9, max: 9 }))

/** A leaf below this many arrays and objects in turn. */
export const deep = (levels: number, leaf: unknown): unknown => {
  let tree = leaf
  for (let level = 0; level < levels; level++) tree = level % 2 === 0 ? [tree] : { a: tree }
  return tree
}

/** Asserts that two trees are the same. A Chunk is seen as its elements: it may hold them in several ways. */
export const assertSame = (actual: unknown, expected: unknown): void => {
  assert.deepStrictEqual(plain(actual), plain(expected))
}

const plain = (tree: unknown): unknown => {
  if (Chunk.isChunk(tree)) return { chunk: Chunk.toReadonlyArray(tree).map(plain) }
  if (ArrayBuffer.isView(tree) || typeof tree !== "object" || tree === null) return tree
  if (Array.isArray(tree)) return tree.map(plain)
  const entries = Object.keys(tree).map((key) => [key, plain((tree as Record<string, unknown>)[key])] as const)
  return [Object.getPrototypeOf(tree), objectOf(entries)]
}
