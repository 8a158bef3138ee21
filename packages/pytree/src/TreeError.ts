/**
 * What can be wrong with a tree.
 *
 * Pure functions throw these errors, effects fail with them. A message says the operation, then one line for each place
 * with what was expected and what was found there, and last what to do; the fields say the same to programs.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { schema as treeDef } from "./internal/codec.ts"
import { table } from "./internal/table.ts"
import * as KeyPath from "./KeyPath.ts"

const at = (path: KeyPath.KeyPath): string => (path.length === 0 ? "(root)" : KeyPath.keystr(path))

/** One place in which two structures differ. */
export const Mismatch = Schema.Struct({
  path: KeyPath.schema,
  expected: Schema.String,
  found: Schema.String
})

/** One place in which two structures differ. */
export type Mismatch = typeof Mismatch.Type

/**
 * Two trees that should have the same structure do not; `mismatches` lists every differing path.
 *
 * `subject` and `reference` name the two trees in the message, `hint` is its last line.
 */
export class StructureMismatch extends Schema.TaggedError<StructureMismatch>()("StructureMismatch", {
  operation: Schema.String,
  subject: Schema.String,
  reference: Schema.String,
  expected: treeDef,
  found: treeDef,
  mismatches: Schema.Array(Mismatch),
  hint: Schema.String.pipe(
    Schema.withConstructorDefault(Effect.succeed("Pass a tree with the expected nodes at these paths."))
  )
}) {
  override get message(): string {
    const rows = this.mismatches.map((row) => ({ ...row, path: at(row.path) }))
    const headline = `${this.operation}: the structure of ${this.subject} differs from that of ${this.reference}`
    return `${headline}\n${table(rows)}\n${this.hint}`
  }
}

/** The leaves given to fill a structure are too many or too few. Of an endless iterable, only one too many is counted. */
export class LeafCountMismatch extends Schema.TaggedError<LeafCountMismatch>()("LeafCountMismatch", {
  operation: Schema.String,
  expected: Schema.Natural,
  found: Schema.Natural
}) {
  override get message(): string {
    const row = { path: "leaves", expected: String(this.expected), found: String(this.found) }
    return `${this.operation}: the number of leaves does not fit the structure\n${table([row])}\nPass one leaf for each \`*\` of the structure.`
  }
}

/** A node contains itself: the tree would be infinite. `path` leads to the place where an ancestor turns up again. */
export class CyclicTree extends Schema.TaggedError<CyclicTree>()("CyclicTree", {
  operation: Schema.String,
  path: KeyPath.schema
}) {
  override get message(): string {
    const row = { path: at(this.path), expected: "a new node", found: "one of the nodes that contain it" }
    return `${this.operation}: the tree contains itself\n${table([row])}\nRemove the reference, or hold it in a JoinPoint, which is a leaf.`
  }
}

/** A tree without leaves was given where at least one is needed. */
export class EmptyTree extends Schema.TaggedError<EmptyTree>()("EmptyTree", {
  operation: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    const row = { path: at([]), expected: "at least one leaf", found: "none" }
    return `${this.operation}: the tree has no leaves\n${table([row])}\n${this.hint}`
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
    return `${this.operation}: the node type ${this.node} gave parts that do not fit\n${table([row])}\nCorrect its \`flatten\`.`
  }
}

/** A constructor, or the name of a node type, was registered before. */
export class AlreadyRegistered extends Schema.TaggedError<AlreadyRegistered>()("AlreadyRegistered", {
  operation: Schema.String,
  what: Schema.Literals(["constructor", "name"]),
  name: Schema.String
}) {
  override get message(): string {
    const row = { path: this.name, expected: `a ${this.what} without a node type`, found: "a registered one" }
    return `${this.operation}: the ${this.what} is taken\n${table([row])}\nRegister each constructor and each name once.`
  }
}
