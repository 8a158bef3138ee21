/**
 * The node types of effect's own data: `Option`, `Chunk`, and instances of `Data.Class` (and so of `Schema.Class`).
 *
 * Class instances are rebuilt field by field on their prototype, without their constructor: a mapped tree usually has
 * leaves of another type, which validation would refuse. Methods and getters keep working; private `#fields` do not.
 */
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { GetAttrKey, SequenceKey } from "../KeyPath.ts"
import type { NodeType } from "./nodeType.ts"
import { sortedKeys } from "./plain.ts"

const valueKey = [GetAttrKey("value")]

/** `Option`: one child in a `Some`, none in a `None`; which of the two is structure. */
export const optionType: NodeType<Option.Option<unknown>, "None" | "Some"> = {
  name: "Option",
  metadata: Schema.Literals(["None", "Some"]),
  flatten: (self) =>
    Option.isSome(self)
      ? { children: [self.value], metadata: "Some", keys: valueKey }
      : { children: [], metadata: "None", keys: [] },
  unflatten: (metadata, children) => (metadata === "Some" ? Option.some(children[0]) : Option.none())
}

/** `Chunk`: its elements, by position. */
export const chunkType: NodeType<Chunk.Chunk<unknown>, void> = {
  name: "Chunk",
  flatten: (self) => {
    const children = Chunk.toReadonlyArray(self)
    return { children, keys: children.map((_, index) => SequenceKey(index)) }
  },
  unflatten: (_, children) => Chunk.fromIterable(children)
}

/** What a class instance consists of besides the values of its fields. */
interface Fields {
  readonly tag: string | undefined
  readonly names: ReadonlyArray<string>
}

const setField = (self: object, name: string, value: unknown): void => {
  // not an assignment: the class may have an accessor of that name
  Object.defineProperty(self, name, { value, enumerable: true, configurable: true, writable: true })
}

const classType = (prototype: object): NodeType<Record<string, unknown>, Fields> => ({
  flatten: (self) => {
    const tag = Object.hasOwn(self, "_tag") && typeof self["_tag"] === "string" ? self["_tag"] : undefined
    const names = sortedKeys(self).filter((name) => tag === undefined || name !== "_tag")
    return { children: names.map((name) => self[name]), metadata: { tag, names }, keys: names.map(GetAttrKey) }
  },
  unflatten: ({ names, tag }, children) => {
    const self = Object.create(prototype) as Record<string, unknown>
    if (tag !== undefined) setField(self, "_tag", tag)
    names.forEach((name, index) => setField(self, name, children[index]))
    return self
  }
})

const make = (prototype: object): NodeType<unknown> | undefined => {
  if (Predicate.hasProperty(prototype, "~effect/Option")) return optionType
  if (Predicate.hasProperty(prototype, "~effect/Chunk")) return chunkType
  return prototype instanceof Data.Class ? classType(prototype) : undefined
}

const known = new WeakMap<object, NodeType<unknown> | null>()

/** The node type of instances with this prototype, if effect defines one. */
export const builtin = (prototype: object): NodeType<unknown> | undefined => {
  const found = known.get(prototype)
  if (found !== undefined) return found ?? undefined
  const made = make(prototype)
  known.set(prototype, made ?? null)
  return made
}
