/**
 * Structures as JSON: the flat list of nodes, so that depth is no matter for `JSON.stringify` either.
 *
 *     {'a': *, 'b': [*, None]}   is   [["a", "b"], "*", 2, "*", null]
 *
 * An object is the list of its keys, an array its length, a leaf `"*"`, a custom node an object with its name. Decoding
 * reads any JSON value and accepts only a complete structure with sorted, distinct keys and known node types.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isTreeDef, type TreeDef } from "./def.ts"

export const schema: Schema.Codec<TreeDef, TreeDef> = Schema.declare(isTreeDef)
void Effect
