/**
 * Structures as JSON: the flat list of nodes, so that depth is no matter for `JSON.stringify` either.
 *
 *     {'a': *, 'b': [*, None]}   is   [["a", "b"], "*", 2, "*", null]
 *
 * A leaf is `"*"`, an array its length, an object the list of its keys, a custom node an object with its name. Decoding
 * takes any JSON value and accepts only a complete structure with sorted, distinct keys and known node types, which its
 * custom nodes give again when they are put together and taken apart.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import { fromRecords, isTreeDef, recordsOf, type TreeDef } from "./def.ts"
import type { AnyNodeType } from "../nodes/nodeType.ts"
import { customName } from "./print.ts"
import { put } from "../walk/put.ts"
import * as R from "./records.ts"
import { typeNamed } from "../nodes/register.ts"
import { traverse } from "../walk/traverse.ts"

const CustomJson = Schema.Struct({
  node: Schema.String,
  arity: Schema.Natural,
  metadata: Schema.optionalKey(Schema.Json)
})

const NodeJson = Schema.Union([
  Schema.Literal("*"),
  Schema.Null,
  Schema.Natural,
  Schema.Array(Schema.String),
  CustomJson
])

type NodeJson = typeof NodeJson.Type

/** A structure as JSON: its nodes, parents before children. */
export type TreeDefJson = ReadonlyArray<NodeJson>

/** Finds node types by name. */
type Lookup = (name: string) => AnyNodeType | undefined

type Outcome<A> = Result.Result<A, SchemaIssue.Issue>

const wrong = (message: string): Result.Result<never, SchemaIssue.Issue> =>
  Result.fail(new SchemaIssue.InvalidValue({ message }))

const at = (index: number): (<A>(result: Outcome<A>) => Outcome<A>) =>
  Result.mapError((issue) => new SchemaIssue.Pointer([index], issue))

const find = (lookup: Lookup, name: string): Outcome<AnyNodeType> => {
  const type = lookup(name)
  if (type !== undefined) return Result.succeed(type)
  return wrong(`Expected a known node type, got ${JSON.stringify(name)}: register it, or name it to TreeDef.schemaWith`)
}

const metadataCodec = (type: AnyNodeType, name: string): Outcome<Schema.Codec<unknown, unknown>> =>
  type.metadata === undefined
    ? wrong(`Expected no metadata: the node type ${JSON.stringify(name)} has no codec for it`)
    : Result.succeed(Schema.toCodecJson(type.metadata))

const encodeCustom = (record: R.Record, lookup: Lookup): Outcome<NodeJson> =>
  Result.gen(function* () {
    const { name } = record.type!
    if (name === undefined) return yield* wrong(`Expected a node type with a name, got ${customName(record)}`)
    const type = yield* find(lookup, name)
    const node = { node: name, arity: record.arity }
    if (record.metadata === undefined) return node
    const encode = SchemaParser.encodeUnknownResult(yield* metadataCodec(type, name))
    // the codec is one to JSON
    return { ...node, metadata: (yield* encode(record.metadata)) as Schema.Json }
  })

const encodeNode = (record: R.Record, lookup: Lookup): Outcome<NodeJson> => {
  switch (record.kind) {
    case R.Leaf:
      return Result.succeed("*")
    case R.Null:
      return Result.succeed(null)
    case R.Sequence:
      return Result.succeed(record.arity)
    case R.Dict:
      return Result.succeed(record.keys)
    case R.Custom:
      return encodeCustom(record, lookup)
  }
}

const isAscending = (keys: ReadonlyArray<string>): boolean => keys.every((key, i) => i === 0 || keys[i - 1]! < key)

const decodeCustom = (json: typeof CustomJson.Type, lookup: Lookup): Outcome<R.Record> =>
  Result.gen(function* () {
    const type = yield* find(lookup, json.node)
    if (json.metadata === undefined) return R.customNamed(type, json.arity, undefined)
    const decode = SchemaParser.decodeUnknownResult(yield* metadataCodec(type, json.node))
    return R.customNamed(type, json.arity, yield* decode(json.metadata))
  })

const decodeNode = (json: NodeJson, lookup: Lookup): Outcome<R.Record> => {
  if (json === "*") return Result.succeed(R.leaf)
  if (json === null) return Result.succeed(R.nothing)
  if (typeof json === "number") return Result.succeed(R.sequence(json))
  if ("node" in json) return decodeCustom(json, lookup)
  return isAscending(json) ? Result.succeed(R.dict(json)) : wrong("Expected distinct keys in ascending order")
}

/** Each node in turn, with the position of the first that fails. */
const each = <A, B>(nodes: ReadonlyArray<A>, f: (node: A) => Outcome<B>): Outcome<ReadonlyArray<B>> => {
  const results: Array<B> = []
  for (const [index, node] of nodes.entries()) {
    const result = at(index)(f(node))
    if (Result.isFailure(result)) return Result.fail(result.failure)
    results.push(result.success)
  }
  return Result.succeed(results)
}

const checkComplete = (records: R.Records): Outcome<R.Records> => {
  let open = 1
  for (const [index, record] of records.entries()) {
    if (open === 0) return at(index)(wrong("Expected the end of the structure"))
    open += record.arity - 1
  }
  return open === 0 ? Result.succeed(records) : wrong(`Expected ${open} more nodes at the end`)
}

const placeholder = Symbol("leaf")

const giveUp = (): never => {
  throw new TypeError("A custom node was rebuilt as something else")
}

const rebuilt = (records: R.Records): R.Records | undefined => {
  const leaves = records.filter(({ kind }) => kind === R.Leaf).map(() => placeholder)
  try {
    return traverse(put(records, leaves), { refuse: giveUp }).records
  } catch {
    // foreign code met metadata it cannot work with
    return undefined
  }
}

/** Puts custom nodes together once, to see that they fit and how they name their children. */
const checkCustom = (records: R.Records): Outcome<R.Records> => {
  if (!records.some(({ kind }) => kind === R.Custom)) return Result.succeed(records)
  const again = rebuilt(records)
  if (again !== undefined && R.equals(records, again)) return Result.succeed(again)
  return wrong("Expected custom nodes that can be put together and taken apart again")
}

const decode = (json: TreeDefJson, lookup: Lookup): Outcome<TreeDef> =>
  Result.gen(function* () {
    const records = yield* each(json, (node) => decodeNode(node, lookup))
    return fromRecords(yield* checkCustom(yield* checkComplete(records)))
  })

const encode = (def: TreeDef, lookup: Lookup): Outcome<TreeDefJson> =>
  each(recordsOf(def), (record) => encodeNode(record, lookup))

/** The codec of structures whose custom nodes are found by `lookup`. */
export const codec = (lookup: Lookup) =>
  Schema.Array(NodeJson).pipe(
    Schema.decodeTo(Schema.declare(isTreeDef, { identifier: "TreeDef" }), {
      decode: SchemaGetter.transformEffect((json) => Effect.fromResult(decode(json, lookup))),
      encode: SchemaGetter.transformEffect((def) => Effect.fromResult(encode(def, lookup)))
    })
  )

/** The codec of structures whose custom nodes are registered. */
export const schema = codec(typeNamed)
