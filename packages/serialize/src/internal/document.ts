/**
 * A manifest and named tensors as one document: the bytes of a safetensors file, or JSON text.
 *
 * In a file the manifest is the JSON text under the key `optim` of `__metadata__`. In JSON the document is the manifest
 * itself with two more members: `metadata`, and `tensors` by name, each `{ dtype, shape, data }` with its bytes in base64.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Safetensors from "../Safetensors.ts"
import { InvalidCheckpoint, UnencodableCheckpoint } from "../SerializeError.ts"
import * as Dtypes from "./dtypes.ts"
import { fromIssue } from "./faults.ts"
import { check } from "./headerWriter.ts"
import * as JsonText from "./jsonText.ts"
import { type Fault, shape as showShape } from "./show.ts"

/** Text that the user keeps with the tensors. */
export type Metadata = Readonly<Record<string, string>>

/** What is written. */
export interface Document {
  readonly manifest: Schema.JsonObject
  readonly metadata: Metadata
  readonly entries: ReadonlyArray<Safetensors.Entry>
}

/** What was read, with a manifest that is not yet checked; `undefined` where there is none. */
export interface Unchecked {
  readonly manifest: unknown
  readonly metadata: Metadata
  readonly entries: ReadonlyArray<Safetensors.Entry>
}

/** The key of the manifest in `__metadata__`. */
const manifestKey = "optim"

const checkMetadata = (operation: string, metadata: Metadata): void => {
  if (!Object.hasOwn(metadata, manifestKey)) return
  const fault = {
    path: `metadata.${manifestKey}`,
    expected: "a key of the user's own",
    found: "the key of the manifest"
  }
  throw new UnencodableCheckpoint({ operation, faults: [fault] })
}

/** JSON text that is not too deep to be read again. */
const textOf = (operation: string, value: Schema.JsonObject): string => {
  const text = JSON.stringify(value)
  if (!JsonText.isDeep(text)) return text
  throw new UnencodableCheckpoint({
    operation,
    faults: [{ path: "manifest", expected: "flat data", found: "deep nesting" }]
  })
}

/** The pieces of a safetensors file. Throws `UnencodableCheckpoint` and `InvalidEntry`. */
export const toChunks = (operation: string, { entries, manifest, metadata }: Document): ReadonlyArray<Uint8Array> => {
  checkMetadata(operation, metadata)
  const text = textOf(operation, manifest)
  return Safetensors.chunks({ tensors: entries, metadata: { ...metadata, [manifestKey]: text } })
}

const invalid = (operation: string, faults: ReadonlyArray<Fault>): InvalidCheckpoint =>
  new InvalidCheckpoint({ operation, faults })

const parsed = (operation: string, path: string, text: string): unknown => {
  const json = JsonText.parse(text)
  if ("value" in json) return json.value
  throw invalid(operation, [{ path, expected: "the JSON text of a checkpoint", found: json.fault }])
}

/** Reads a safetensors file. Throws `InvalidSafetensors` and `InvalidCheckpoint`. */
export const fromBytes = (operation: string, bytes: Uint8Array): Unchecked => {
  const { metadata: all, tensors: entries } = Safetensors.decode(bytes)
  const { [manifestKey]: manifest, ...metadata } = all
  return { manifest: manifest === undefined ? undefined : parsed(operation, "manifest", manifest), metadata, entries }
}

const JsonEntry = Schema.Struct({
  dtype: Schema.Literals(Dtypes.names),
  shape: Schema.Array(Schema.Natural),
  data: Schema.String
})

const JsonDocument = Schema.Struct({
  metadata: Schema.Record(Schema.String, Schema.String),
  tensors: Schema.Record(Schema.String, JsonEntry)
})

/** The document as a JSON value. Throws `UnencodableCheckpoint` and `InvalidEntry`. */
export const toJson = (operation: string, { entries, manifest, metadata }: Document): Schema.JsonObject => {
  checkMetadata(operation, metadata)
  check(entries, metadata)
  const tensors = entries.map(({ bytes, dtype, name, shape }) => [name, { dtype, shape, data: Base64.encode(bytes) }])
  return Object.assign({}, manifest, { metadata, tensors: Object.fromEntries(tensors) as Schema.JsonObject }) // JSON values
}

type JsonEntry = typeof JsonEntry.Type

const entryFault = (
  { data, dtype, shape }: JsonEntry,
  name: string,
  bytes: Uint8Array | undefined
): Fault | undefined => {
  const path = `tensors.${name}.data`
  if (bytes === undefined) return { path, expected: "base64", found: `${data.length} characters that are not` }
  const length = Dtypes.byteLength(dtype, shape)
  if (length === bytes.length) return undefined
  return { path, expected: `${length ?? "fewer"} bytes for ${dtype} ${showShape(shape)}`, found: String(bytes.length) }
}

/** Reads a JSON value. Throws `InvalidCheckpoint`. */
export const fromJson = (operation: string, value: unknown): Unchecked => {
  const decoded = Schema.decodeUnknownResult(JsonDocument, { errors: "all" })(value)
  if (Result.isFailure(decoded)) throw invalid(operation, fromIssue("json", decoded.failure.issue, value))
  const faults: Array<Fault> = []
  const entries = Object.entries(decoded.success.tensors).map(([name, entry]): Safetensors.Entry => {
    const bytes = Result.getOrUndefined(Base64.decode(entry.data))
    const fault = entryFault(entry, name, bytes)
    if (fault !== undefined) faults.push(fault)
    return { name, dtype: entry.dtype, shape: entry.shape, bytes: bytes ?? new Uint8Array() }
  })
  if (faults.length > 0) throw invalid(operation, faults)
  return { manifest: value, metadata: decoded.success.metadata, entries }
}

/** The document as JSON text. Throws `UnencodableCheckpoint` and `InvalidEntry`. */
export const toJsonText = (operation: string, document: Document): string =>
  textOf(operation, toJson(operation, document))

/** Reads JSON text. Throws `InvalidCheckpoint`. */
export const fromJsonText = (operation: string, text: string): Unchecked =>
  fromJson(operation, parsed(operation, "json", text))
