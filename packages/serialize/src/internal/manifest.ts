/**
 * Manifests: what a document says about its tensors beyond their names, as JSON.
 *
 *     {"format": "optim.checkpoint", "version": 1, "step": 50,
 *      "optimizer": {"name": "momentum", "hyperParameters": {"stepSize": 0.1, "mass": 0.9}},
 *      "tree": [["b", "w"], "*", "*"], "subtrees": [[["v", "x"], "*", "*"]], "subtreeOf": [0, 0]}
 *
 * `tree` is the structure of the parameters and `subtrees` the distinct structures of their slots, both as
 * `TreeDef.schema` writes them; `subtreeOf` says, leaf by leaf, which of them it has. Of an optimizer that was made of a
 * transform, `transform` is the structure of what it remembers, written likewise. A document of parameters alone has the
 * format `optim.params` and only a `tree`.
 */
import { TreeDef } from "@optim/pytree"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { InvalidCheckpoint, UnencodableCheckpoint } from "../SerializeError.ts"
import { fromIssue, print } from "./faults.ts"
import { HyperParameters } from "./hyperParameters.ts"
import * as NameBudget from "./nameBudget.ts"
import { type Fault, quoted } from "./show.ts"
import type { Structure } from "./stateLeaves.ts"

/** The version that is written; a reader reads this one. */
const version = 1

const ParamsFields = Schema.Struct({
  format: Schema.Literal("optim.params"),
  version: Schema.Literal(version),
  tree: TreeDef.schema
})

const CheckpointFields = Schema.Struct({
  format: Schema.Literal("optim.checkpoint"),
  version: Schema.Literal(version),
  step: Schema.Natural,
  optimizer: Schema.Struct({ name: Schema.String, hyperParameters: HyperParameters }),
  tree: TreeDef.schema,
  subtrees: Schema.Array(TreeDef.schema),
  subtreeOf: Schema.Array(Schema.Natural),
  transform: Schema.optionalKey(TreeDef.schema)
}).check(
  Schema.makeFilter(({ subtreeOf, subtrees, tree }) => {
    const leaves = TreeDef.leafCount(tree)
    if (subtreeOf.length !== leaves) return { path: ["subtreeOf"], issue: `Expected ${leaves} integers, one a leaf` }
    const wrong = subtreeOf.findIndex((index) => index >= subtrees.length)
    return wrong < 0 || { path: ["subtreeOf", wrong], issue: `Expected an integer below ${subtrees.length}` }
  })
)

const paramsJson = Schema.toCodecJson(ParamsFields)

const checkpointJson = Schema.toCodecJson(CheckpointFields)

type ParamsJson = (typeof ParamsFields)["Encoded"]

type CheckpointJson = (typeof CheckpointFields)["Encoded"]

const Head = Schema.Struct({ format: Schema.Unknown, version: Schema.Unknown })

const isHead = Schema.is(Head)

const headFaults = (format: string, value: unknown): ReadonlyArray<Fault> => {
  if (!isHead(value) || value.format !== format) {
    return [
      { path: "manifest.format", expected: quoted(format), found: isHead(value) ? print(value.format) : print(value) }
    ]
  }
  if (value.version === version) return []
  return [{ path: "manifest.version", expected: String(version), found: print(value.version) }]
}

const decodeAs = <A>(operation: string, format: string, schema: Schema.Codec<A, unknown>, value: unknown): A => {
  const head = headFaults(format, value)
  if (head.length > 0) throw new InvalidCheckpoint({ operation, faults: head })
  const decoded = Schema.decodeUnknownResult(schema, { errors: "all" })(value)
  if (Result.isSuccess(decoded)) return decoded.success
  throw new InvalidCheckpoint({ operation, faults: fromIssue("manifest", decoded.failure.issue, value) })
}

const encodeAs = <A>(operation: string, schema: Schema.Codec<A, Schema.Json>, manifest: A): Schema.JsonObject => {
  const encoded = Schema.encodeResult(schema, { errors: "all" })(manifest)
  if (Result.isSuccess(encoded)) return encoded.success as Schema.JsonObject // a struct is an object in JSON
  throw new UnencodableCheckpoint({ operation, faults: fromIssue("manifest", encoded.failure.issue, manifest) })
}

/** What a manifest that was read says, and how long the names are that follow from it. */
export type Read<A> = A & { readonly nameLength: number }

/** The structure in the manifest of parameters. Throws `InvalidCheckpoint`. */
export const decodeParams = (operation: string, value: unknown): Read<{ readonly treeDef: TreeDef.TreeDef }> => {
  const { tree: treeDef } = decodeAs(operation, "optim.params", paramsJson, value)
  const { tree } = value as ParamsJson // it was just decoded
  return { treeDef, nameLength: NameBudget.ofTree(tree) }
}

/** The manifest of parameters. Throws `UnencodableCheckpoint`. */
export const encodeParams = (operation: string, tree: TreeDef.TreeDef): Schema.JsonObject =>
  encodeAs(operation, paramsJson, { format: "optim.params", version, tree })

/** All of an optimizer's state but its tensors and numbers. */
export interface Description extends Structure {
  readonly step: number
  readonly optimizer: { readonly name: string; readonly hyperParameters: HyperParameters }
}

/** The structures of the slots as a list of distinct ones, and for each leaf its place in it. */
const shared = (subtreeDefs: ReadonlyArray<TreeDef.TreeDef>) => {
  const subtrees: Array<TreeDef.TreeDef> = []
  const subtreeOf = subtreeDefs.map((def) => {
    const known = subtrees.findIndex((other) => Equal.equals(other, def))
    return known >= 0 ? known : subtrees.push(def) - 1
  })
  return { subtrees, subtreeOf }
}

/** What the manifest of an optimizer's state says. Throws `InvalidCheckpoint`. */
export const decodeCheckpoint = (operation: string, value: unknown): Read<Description> => {
  const fields = decodeAs(operation, "optim.checkpoint", checkpointJson, value)
  const { optimizer, step, subtreeOf, subtrees, transform, tree } = fields
  return {
    step,
    optimizer,
    treeDef: tree,
    subtreeDefs: subtreeOf.map((index) => subtrees[index] ?? TreeDef.leaf),
    transform: transform === undefined ? undefined : { treeDef: transform },
    nameLength: NameBudget.ofState(value as CheckpointJson) // it was just decoded
  }
}

/** The manifest of an optimizer's state. Throws `UnencodableCheckpoint`. */
export const encodeCheckpoint = (operation: string, description: Description): Schema.JsonObject =>
  encodeAs(operation, checkpointJson, {
    format: "optim.checkpoint",
    version,
    step: description.step,
    optimizer: description.optimizer,
    tree: description.treeDef,
    ...shared(description.subtreeDefs),
    ...(description.transform === undefined ? {} : { transform: description.transform.treeDef })
  })
