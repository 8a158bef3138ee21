/**
 * The node types of effect's own data: `Option`, `Chunk`, and instances of `Data.Class` (and so of `Schema.Class`).
 */
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { GetAttrKey, SequenceKey } from "../../KeyPath.ts"
import { fieldsOf } from "./fields.ts"
import type { AnyNodeType, NodeType } from "./nodeType.ts"

const valueKey = [GetAttrKey("value")]

/** `Option`: one child in a `Some`, none in a `None`; which of the two is structure. */
export const optionType: NodeType<Option.Option<unknown>, "None" | "Some"> & { readonly name: string } = {
  name: "Option",
  metadata: Schema.Literals(["None", "Some"]),
  flatten: (self) =>
    Option.isSome(self)
      ? { children: [self.value], metadata: "Some", keys: valueKey }
      : { children: [], metadata: "None" },
  unflatten: (metadata, children) => (metadata === "Some" ? Option.some(children[0]) : Option.none())
}

/** `Chunk`: its elements, by position. */
export const chunkType: NodeType<Chunk.Chunk<unknown>> & { readonly name: string } = {
  name: "Chunk",
  flatten: (self) => {
    const children = Chunk.toReadonlyArray(self)
    return { children, keys: children.map((_, index) => SequenceKey(index)) }
  },
  unflatten: (_, children) => Chunk.fromIterable(children)
}

const make = (prototype: object): AnyNodeType | undefined => {
  if (Predicate.hasProperty(prototype, "~effect/Option")) return optionType
  if (Predicate.hasProperty(prototype, "~effect/Chunk")) return chunkType
  return prototype instanceof Data.Class ? fieldsOf(prototype, {}) : undefined
}

const known = new WeakMap<object, AnyNodeType | null>()

/** The node type of instances with this prototype, if effect defines one. */
export const builtin = (prototype: object): AnyNodeType | undefined => {
  const found = known.get(prototype)
  if (found !== undefined) return found ?? undefined
  const made = make(prototype)
  known.set(prototype, made ?? null)
  return made
}
