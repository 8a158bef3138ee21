/**
 * What can be wrong with a tree.
 *
 * Pure functions throw these errors, effects fail with them. A message says the operation, then one line for each place
 * with what was expected and what was found there, and last what to do; the fields say the same to programs.
 *
 * @example
 * ```ts
 * import { KeyPath, PyTree, StructureMismatch } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * try {
 *   PyTree.map({ w: 1, b: [1, 2] }, { w: 1, b: [1, 2, 3], c: 4 }, (x) => x)
 *   assert.fail("the trees differ")
 * } catch (error) {
 *   assert.ok(error instanceof StructureMismatch)
 *   assert.deepStrictEqual(error.mismatches.map(({ path }) => KeyPath.keystr(path)), ["['b']", "['c']"])
 * }
 * ```
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { schema as treeDef } from "./internal/structure/codec.ts"
import { message } from "./internal/message.ts"
import * as KeyPath from "./KeyPath.ts"

const at = (path: KeyPath.KeyPath): string => (path.length === 0 ? "(root)" : KeyPath.keystr(path))

const defaultsTo = (text: string) => Schema.String.pipe(Schema.withConstructorDefault(Effect.succeed(text)))

/** Codec of one place in which two structures differ. */
export const Mismatch = Schema.Struct({ path: KeyPath.schema, expected: Schema.String, found: Schema.String })

/** One place in which two structures differ: the path, and in words what should be there and what is. */
export type Mismatch = typeof Mismatch.Type

/**
 * Two trees that should have the same structure do not; `mismatches` lists every differing path.
 *
 * `subject` and `reference` name the two trees in the message, `hint` is its last line.
 */
export class StructureMismatch extends Schema.TaggedError<StructureMismatch>()("StructureMismatch", {
  operation: Schema.String,
  subject: defaultsTo("the tree"),
  reference: defaultsTo("the structure it should have"),
  expected: treeDef,
  found: treeDef,
  mismatches: Schema.Array(Mismatch),
  hint: defaultsTo("Pass a tree that has what is expected at these paths.")
}) {
  override get message(): string {
    const headline = `${this.operation}: ${this.subject} and ${this.reference} differ in structure`
    return message(
      headline,
      this.mismatches.map((row) => ({ ...row, path: at(row.path) })),
      this.hint
    )
  }
}

/** Too many or too few leaves were given to fill a structure. Of an iterable, at most one too many is counted. */
export class LeafCountMismatch extends Schema.TaggedError<LeafCountMismatch>()("LeafCountMismatch", {
  operation: Schema.String,
  expected: Schema.Natural,
  found: Schema.Natural
}) {
  override get message(): string {
    const row = { path: "leaves", expected: String(this.expected), found: String(this.found) }
    return message(
      `${this.operation}: the number of leaves does not fit the structure`,
      [row],
      "Pass one leaf for each * of the structure, in the order of PyTree.leaves."
    )
  }
}

/** A node contains itself: the tree would be infinite. `path` leads to where an ancestor turns up again. */
export class CyclicTree extends Schema.TaggedError<CyclicTree>()("CyclicTree", {
  operation: Schema.String,
  path: KeyPath.schema
}) {
  override get message(): string {
    const row = { path: at(this.path), expected: "a new node", found: "one of the nodes around it" }
    return message(
      `${this.operation}: the tree contains itself`,
      [row],
      "Take the reference out of the tree, or hold it in a JoinPoint, which is a leaf."
    )
  }
}

/** A tree without leaves was given where at least one is needed. */
export class EmptyTree extends Schema.TaggedError<EmptyTree>()("EmptyTree", {
  operation: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    const row = { path: at([]), expected: "at least one leaf", found: "none" }
    return message(`${this.operation}: the tree has no leaves`, [row], this.hint)
  }
}

/** A leaf is of a kind that the operation cannot work with. */
export class UnsupportedLeaf extends Schema.TaggedError<UnsupportedLeaf>()("UnsupportedLeaf", {
  operation: Schema.String,
  leaves: Schema.Array(Mismatch),
  hint: Schema.String
}) {
  override get message(): string {
    const rows = this.leaves.map((row) => ({ ...row, path: at(row.path) }))
    return message(`${this.operation}: some leaves are of the wrong kind`, rows, this.hint)
  }
}

/** A vector that is to be cut into the leaves of a tree has the wrong length. */
export class VectorLengthMismatch extends Schema.TaggedError<VectorLengthMismatch>()("VectorLengthMismatch", {
  operation: Schema.String,
  expected: Schema.Natural,
  found: Schema.Natural
}) {
  override get message(): string {
    const row = { path: "vector", expected: `${this.expected} elements`, found: String(this.found) }
    return message(
      `${this.operation}: the vector does not fit the tree`,
      [row],
      "Pass a vector as long as the one PyTree.ravel gave."
    )
  }
}

/** A node type took a node apart in a way that makes no sense. */
export class InvalidNode extends Schema.TaggedError<InvalidNode>()("InvalidNode", {
  operation: Schema.String,
  node: Schema.String,
  path: KeyPath.schema,
  expected: Schema.String,
  found: Schema.String
}) {
  override get message(): string {
    const row = { path: at(this.path), expected: this.expected, found: this.found }
    return message(
      `${this.operation}: the node type ${this.node} gave parts that do not fit together`,
      [row],
      "Correct the `flatten` of the node type."
    )
  }
}

/** A constructor, or the name of a node type, was registered before; arrays and plain objects always are. */
export class AlreadyRegistered extends Schema.TaggedError<AlreadyRegistered>()("AlreadyRegistered", {
  operation: Schema.String,
  kind: Schema.Literals(["constructor", "name"]),
  taken: Schema.String
}) {
  override get message(): string {
    const row = { path: this.taken, expected: `a ${this.kind} without a node type`, found: "one that has a node type" }
    return message(
      `${this.operation}: the ${this.kind} is taken`,
      [row],
      "Register each constructor once, each under a name of its own."
    )
  }
}
