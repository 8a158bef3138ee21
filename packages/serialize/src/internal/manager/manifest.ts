/**
 * The manifest of a checkpoint: what it is of, where each tensor lies, and the checksums of everything.
 *
 *     {"checksum":"<xxh64 of the text of the manifest>","manifest":{"format":"optim.checkpoints","version":1,…}}
 *
 * It is written last, so a checkpoint with a manifest is complete. It is data from outside: every number that is used as
 * an offset or a length is checked against the others before.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Dtypes from "../dtypes.ts"
import { fromIssue } from "../faults.ts"
import * as JsonText from "../jsonText.ts"
import { shape as showShape } from "../show.ts"
import type { Checksum } from "../checksum.ts"

/** The version that is written. */
const version = 1

const Digest = Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/))

/** A tensor: `begin` and `end` count from the start of its file. */
export const TensorRecord = Schema.Struct({
  name: Schema.String,
  path: Schema.String,
  dtype: Schema.Literals(Dtypes.names),
  shape: Schema.Array(Schema.Natural),
  file: Schema.Natural,
  begin: Schema.Natural,
  end: Schema.Natural,
  checksum: Digest
})

/** A tensor in a checkpoint. */
export type TensorRecord = typeof TensorRecord.Type

/** A file: its length, and that and the checksum of its header (with the eight bytes before it). */
export const FileRecord = Schema.Struct({
  name: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/)),
  size: Schema.Natural,
  headerSize: Schema.Natural,
  headerChecksum: Digest
})

/** A file of a checkpoint. */
export type FileRecord = typeof FileRecord.Type

/** One item: `value` is its JSON, or what is known about its tensors. */
export const ItemRecord = Schema.Struct({
  kind: Schema.Literals(["json", "tree"]),
  version: Schema.Natural,
  value: Schema.Json,
  tensors: Schema.Array(TensorRecord)
})

/** One item of a checkpoint. */
export type ItemRecord = typeof ItemRecord.Type

type Fields = Pick<Manifest, "files" | "items">

const fault = (path: ReadonlyArray<string | number>, issue: string) => ({ path, issue })

const recordFault = ({ files }: Fields, { begin, dtype, end, file, shape }: TensorRecord): string | undefined => {
  const holder = files[file]
  if (holder === undefined) return `Expected one of ${files.length} files`
  const length = Dtypes.byteLength(dtype, shape)
  if (length !== end - begin) return `Expected ${length ?? "fewer"} bytes for ${dtype} ${showShape(shape)}`
  return begin < holder.headerSize || end > holder.size ? "Expected a place within its file" : undefined
}

const isConsistent = (manifest: Fields) => {
  const names = manifest.files.map(({ name }) => name)
  if (new Set(names).size < names.length) return fault(["files"], "Expected distinct names")
  const short = manifest.files.findIndex(({ headerSize, size }) => headerSize > size)
  if (short >= 0) return fault(["files", short], "Expected a header within its file")
  for (const [item, { tensors }] of Object.entries(manifest.items)) {
    const seen = new Set<string>()
    for (const [index, record] of tensors.entries()) {
      const path = ["items", item, "tensors", index]
      if (seen.has(record.name)) return fault(path, "Expected a name that did not occur before")
      seen.add(record.name)
      const issue = recordFault(manifest, record)
      if (issue !== undefined) return fault(path, issue)
    }
  }
  return true
}

const Manifest = Schema.Struct({
  format: Schema.Literal("optim.checkpoints"),
  version: Schema.Literal(version),
  step: Schema.Natural,
  /** Milliseconds since 1970. */
  savedAt: Schema.Natural,
  // a loss may be NaN
  // @effect-diagnostics-next-line schemaNumber:off
  metrics: Schema.Record(Schema.String, Schema.Number),
  files: Schema.Array(FileRecord),
  items: Schema.Record(Schema.String, ItemRecord)
})

/** What a checkpoint consists of. */
export type Manifest = typeof Manifest.Type

const codec = Schema.toCodecJson(Manifest.check(Schema.makeFilter(isConsistent)))

const opening = '{"checksum":"'

const middle = '","manifest":'

/** Where the text begins of which the checksum is. */
const bodyStart = opening.length + 16 + middle.length

/** The manifest of a checkpoint, as it is written. */
export const make = (fields: Omit<Manifest, "format" | "version">): Manifest => ({
  format: "optim.checkpoints",
  version,
  ...fields
})

/** A manifest as bytes. */
export const encode = (checksum: Checksum, manifest: Manifest): Uint8Array => {
  const encoder = new TextEncoder()
  const body = JSON.stringify(Schema.encodeSync(codec)(manifest))
  return encoder.encode(`${opening}${checksum.of(encoder.encode(body))}${middle}${body}}\n`)
}

const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return fatal.decode(bytes)
  } catch {
    return undefined
  }
}

/** The text of the manifest within its frame, or nothing. */
const bodyOf = (checksum: Checksum, bytes: Uint8Array): string | undefined => {
  const frame = textOf(bytes.subarray(0, bodyStart))
  if (frame === undefined || bytes.length < bodyStart + 2) return undefined
  const body = bytes.subarray(bodyStart, -2)
  const end = textOf(bytes.subarray(-2))
  return frame === `${opening}${checksum.of(body)}${middle}` && end === "}\n" ? textOf(body) : undefined
}

/** A manifest that was read, or what is wrong with it. */
export const decode = (checksum: Checksum, bytes: Uint8Array): Result.Result<Manifest, string> => {
  const body = bodyOf(checksum, bytes)
  if (body === undefined) return Result.fail("manifest.json: its checksum is not that of its text")
  const json = JsonText.parse(body)
  if ("fault" in json) return Result.fail(`manifest.json: ${json.fault}`)
  return Result.mapError(Schema.decodeUnknownResult(codec)(json.value), ({ issue }) => {
    const [first] = fromIssue("manifest", issue, json.value)
    return `manifest.json: ${first === undefined ? "unfit" : `${first.path}   expected ${first.expected}   found ${first.found}`}`
  })
}
