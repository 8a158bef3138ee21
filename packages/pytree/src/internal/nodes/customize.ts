/**
 * Making nodes of classes that do not say themselves how they come apart.
 */
import { AlreadyRegistered } from "../../TreeError.ts"
import { fieldsOf, type FixedFields } from "./fields.ts"
import type { NodeType } from "./nodeType.ts"
import { isPlainPrototype } from "./plain.ts"
import { add, registeredType, typeNamed } from "./register.ts"

type Constructor<A> = abstract new (...args: never) => A

/** How `fields` takes instances apart. */
export interface FieldsOptions {
  /** The name of the node type, which it needs to be written to JSON. */
  readonly name?: string | undefined
  /** Fields that are metadata, not children, with the codecs of their values. A string under `_tag` always is. */
  readonly fixed?: FixedFields | undefined
}

/**
 * The node type of a class whose own fields are its children, in ascending order of their names.
 *
 * Instances are rebuilt field by field on the prototype of the class, without running its constructor: a mapped tree has
 * other leaves, which a validating constructor would refuse. Private `#fields` are not carried over.
 * Source: `jax.tree_util.register_dataclass`.
 *
 * @example
 * ```ts
 * import { KeyPath, PyTree, TreeDef } from "@optim/pytree"
 * import * as Schema from "effect/Schema"
 * import * as assert from "node:assert"
 *
 * class Dense {
 *   readonly w: number
 *   readonly b: number
 *   readonly activation: string
 *   constructor(w: number, b: number, activation: string) {
 *     this.w = w
 *     this.b = b
 *     this.activation = activation
 *   }
 * }
 * PyTree.register(Dense, PyTree.fields(Dense, { fixed: { activation: Schema.String } }))
 *
 * const layer = new Dense(2, 1, "relu")
 * assert.deepStrictEqual(TreeDef.paths(PyTree.structure(layer)).map((path) => KeyPath.keystr(path)), [".b", ".w"])
 * assert.deepStrictEqual(PyTree.map(layer, (leaf) => -leaf), new Dense(-2, -1, "relu"))
 * ```
 */
export const fields = <A extends object>(
  constructor: Constructor<A>,
  { fixed = {}, name }: FieldsOptions = {}
): NodeType<A> =>
  // what is rebuilt on the prototype is an instance
  fieldsOf(constructor.prototype as object, fixed, name) as NodeType<A>

/**
 * Makes nodes of the instances of a class, but not of its subclasses; it holds for the whole process.
 *
 * A registered node type goes before the class's own, and is found by its name when a structure is read from JSON. The
 * types `Leaf` and `Mapped` know nothing of it: to them, a class with methods is a leaf.
 *
 * Throws AlreadyRegistered if the constructor or the name is taken, and for arrays and plain objects.
 * Source: `jax.tree_util.register_pytree_node`.
 *
 * @example
 * ```ts
 * import { PyTree } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * PyTree.register(Set<number>, {
 *   name: "Set",
 *   flatten: (self) => ({ children: [...self] }),
 *   unflatten: (_, children) => new Set(children)
 * })
 * assert.deepStrictEqual(PyTree.leaves<unknown>({ a: 1, b: new Set([2, 3]) }), [1, 2, 3])
 * ```
 */
export const register = <A, M, C>(constructor: Constructor<A>, nodeType: NodeType<A, M, C>): void => {
  const operation = "PyTree.register"
  const prototype = constructor.prototype as object
  if (isPlainPrototype(prototype) || prototype === Array.prototype || registeredType(prototype) !== undefined) {
    throw new AlreadyRegistered({ operation, kind: "constructor", taken: constructor.name })
  }
  if (nodeType.name !== undefined && typeNamed(nodeType.name) !== undefined) {
    throw new AlreadyRegistered({ operation, kind: "name", taken: nodeType.name })
  }
  add(prototype, nodeType)
}
