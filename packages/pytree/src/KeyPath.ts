/**
 * Key paths: where a leaf sits in its tree.
 *
 * A path is a plain array of tagged keys, so it compares with `Equal`, goes through JSON and can be matched on. The one
 * printed form of the whole library is `keystr`; errors, logs and checkpoints use no other.
 *
 * @example
 * ```ts
 * import { KeyPath } from "@optim/pytree"
 * import * as assert from "node:assert"
 *
 * const path = [KeyPath.DictKey("layers"), KeyPath.SequenceKey(0), KeyPath.GetAttrKey("w")]
 * assert.deepStrictEqual(path[0], { _tag: "DictKey", key: "layers" })
 * assert.strictEqual(KeyPath.keystr(path), "['layers'][0].w")
 * assert.strictEqual(KeyPath.keystr(path, { simple: true, separator: "/" }), "layers/0/w")
 * assert.strictEqual(KeyPath.keystr([]), "")
 * ```
 */
import * as Schema from "effect/Schema"
import { quote } from "./internal/quote.ts"

/** The position of a child in an array. */
export interface SequenceKey {
  readonly _tag: "SequenceKey"
  readonly index: number
}

/** The key of a child in a plain object. */
export interface DictKey {
  readonly _tag: "DictKey"
  readonly key: string
}

/** The name of a field of a class instance. */
export interface GetAttrKey {
  readonly _tag: "GetAttrKey"
  readonly name: string
}

/** The position of a child of a custom node that gives its children no keys. */
export interface FlattenedIndexKey {
  readonly _tag: "FlattenedIndexKey"
  readonly index: number
}

/** One step of a path. */
export type Key = SequenceKey | DictKey | GetAttrKey | FlattenedIndexKey

/** The keys from the root of a tree to a node in it; the root itself has the empty path. */
export type KeyPath = ReadonlyArray<Key>

/** Makes the key of a position in an array. */
export const SequenceKey = (index: number): SequenceKey => ({ _tag: "SequenceKey", index })

/** Makes the key of an entry of a plain object. */
export const DictKey = (key: string): DictKey => ({ _tag: "DictKey", key })

/** Makes the key of a field of a class instance. */
export const GetAttrKey = (name: string): GetAttrKey => ({ _tag: "GetAttrKey", name })

/** Makes the key of a position in a custom node without keys. */
export const FlattenedIndexKey = (index: number): FlattenedIndexKey => ({ _tag: "FlattenedIndexKey", index })

/** Codec of one key. */
export const keySchema = Schema.Union([
  Schema.TaggedStruct("SequenceKey", { index: Schema.Natural }),
  Schema.TaggedStruct("DictKey", { key: Schema.String }),
  Schema.TaggedStruct("GetAttrKey", { name: Schema.String }),
  Schema.TaggedStruct("FlattenedIndexKey", { index: Schema.Natural })
])

/** Codec of a path: an array of tagged keys, the same in memory and in JSON. */
export const schema = Schema.Array(keySchema)

const bare = (key: Key): string => {
  switch (key._tag) {
    case "DictKey":
      return key.key
    case "GetAttrKey":
      return key.name
    default:
      return String(key.index)
  }
}

const bracketed = (key: Key): string => {
  switch (key._tag) {
    case "SequenceKey":
      return `[${key.index}]`
    case "DictKey":
      return `[${quote(key.key)}]`
    case "GetAttrKey":
      return `.${key.name}`
    case "FlattenedIndexKey":
      return `[<flat index ${key.index}>]`
  }
}

/**
 * Prints a path as one would write it in code: `['layers'][0].w`, and `''` for the root.
 *
 * With `simple`, keys are printed bare; with `separator`, it is put between them: `layers/0/w`.
 * Source: `jax.tree_util.keystr`.
 */
export const keystr = (
  path: KeyPath,
  options: { readonly simple?: boolean | undefined; readonly separator?: string | undefined } = {}
): string => path.map(options.simple === true ? bare : bracketed).join(options.separator ?? "")
