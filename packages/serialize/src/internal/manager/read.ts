/**
 * Reads a checkpoint: its manifest, and the tensors that are wanted, each checked before it is handed out.
 *
 * Tensors that lie next to each other are read together, up to 4 MB; a larger one is read in pieces into its own array,
 * and each piece is hashed while the next one is read. Nothing is held but what is read and what is handed out.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Reader, Store } from "../../CheckpointStore.ts"
import { CheckpointDamaged, StoreError } from "../../SerializeError.ts"
import type { Checksum } from "../checksum.ts"
import * as Manifest from "./manifest.ts"
import type { TensorRecord } from "./manifest.ts"
import { manifestName } from "./write.ts"

const pieceSize = 4 << 20

/** The largest manifest that is read. */
const maxManifestSize = 100_000_000

/** What is read from. */
export interface Source {
  readonly store: Store
  readonly id: string
  readonly step: number
  readonly checksum: Checksum
}

const damaged = ({ id, step }: Source, detail: string): CheckpointDamaged => new CheckpointDamaged({ id, step, detail })

/** What is gone or too short is damage; everything else is the store's. */
const asDamage =
  (source: Source) =>
  (error: StoreError): StoreError | CheckpointDamaged =>
    error.reason === "NotFound" || error.reason === "Truncated" || error.reason === "Escapes"
      ? damaged(source, `${error.name}: ${error.detail}`)
      : error

const readManifestBytes = Effect.fnUntraced(function* (source: Source) {
  const { read, size } = yield* source.store.open(`${source.id}/${manifestName}`)
  if (size > maxManifestSize) return yield* damaged(source, `${manifestName}: it has ${size} bytes`)
  const bytes = new Uint8Array(size)
  yield* read(0, bytes)
  return bytes
}, Effect.scoped)

/** The manifest of a checkpoint. */
export const readManifest = Effect.fnUntraced(function* (
  source: Source
): Effect.fn.Return<Manifest.Manifest, StoreError | CheckpointDamaged> {
  const bytes = yield* readManifestBytes(source).pipe(
    Effect.mapError((error) => (error instanceof StoreError ? asDamage(source)(error) : error))
  )
  const manifest = Manifest.decode(source.checksum, bytes)
  if (Result.isFailure(manifest)) return yield* damaged(source, manifest.failure)
  if (manifest.success.step === source.step) return manifest.success
  return yield* damaged(source, `${manifestName}: it is of step ${manifest.success.step}`)
})

/** Tensors of one file, in groups that are read at once. */
const groups = (records: ReadonlyArray<TensorRecord>): ReadonlyArray<ReadonlyArray<TensorRecord>> => {
  const found: Array<Array<TensorRecord>> = []
  let start = 0
  let end = -1
  for (const record of records.toSorted((a, b) => a.begin - b.begin)) {
    if (record.begin !== end || record.end - start > pieceSize) {
      found.push([])
      start = record.begin
    }
    found.at(-1)?.push(record)
    end = record.end
  }
  return found
}

/** Fills an array piece by piece; each is hashed while the next one is read. */
const readHashed = Effect.fnUntraced(function* (
  checksum: Checksum,
  reader: Reader,
  offset: number,
  into: Uint8Array
): Effect.fn.Return<string, StoreError> {
  checksum.reset()
  let last = into.subarray(0, pieceSize)
  yield* reader.read(offset, last)
  for (let at = pieceSize; at < into.length; at += pieceSize) {
    const next = into.subarray(at, at + pieceSize)
    const hash = Effect.sync(() => checksum.update(last))
    yield* Effect.all([reader.read(offset + at, next), hash], { concurrency: 2, discard: true })
    last = next
  }
  checksum.update(last)
  return checksum.digest()
})

const notAsWritten = (source: Source, { name }: Manifest.FileRecord, part: string): CheckpointDamaged =>
  damaged(source, `${name}: the checksum of ${part} is not that of its bytes`)

const isLarge = ([first]: ReadonlyArray<TensorRecord>): boolean =>
  first !== undefined && first.end - first.begin > pieceSize

/** The tensors of a group with their bytes. */
const readGroup = Effect.fnUntraced(function* (
  source: Source,
  file: Manifest.FileRecord,
  reader: Reader,
  group: ReadonlyArray<TensorRecord>
): Effect.fn.Return<ReadonlyArray<readonly [TensorRecord, Uint8Array]>, StoreError | CheckpointDamaged> {
  const { checksum } = source
  const begin = group[0]?.begin ?? 0
  const bytes = new Uint8Array((group.at(-1)?.end ?? begin) - begin)
  const whole = isLarge(group) ? yield* readHashed(checksum, reader, begin, bytes) : undefined
  if (whole === undefined) yield* reader.read(begin, bytes)
  const parts = group.map((record) => [record, bytes.subarray(record.begin - begin, record.end - begin)] as const)
  for (const [record, part] of parts) {
    if ((whole ?? checksum.of(part)) !== record.checksum) return yield* notAsWritten(source, file, `'${record.name}'`)
  }
  return parts
})

/** Checks a file's length and header, which no tensor's checksum covers. */
const checkFile = Effect.fnUntraced(function* (source: Source, file: Manifest.FileRecord, reader: Reader) {
  if (reader.size !== file.size) {
    return yield* damaged(source, `${file.name}: expected ${file.size} bytes, found ${reader.size}`)
  }
  const header = new Uint8Array(file.headerSize)
  yield* reader.read(0, header)
  if (source.checksum.of(header) !== file.headerChecksum) return yield* notAsWritten(source, file, "the header")
})

/** What takes the tensors as they are read. */
export type Receive<E, R> = (record: TensorRecord, bytes: Uint8Array) => Effect.Effect<void, E, R>

const readFile = Effect.fnUntraced(function* <E, R>(
  source: Source,
  file: Manifest.FileRecord,
  records: ReadonlyArray<TensorRecord>,
  receive: Receive<E, R>
) {
  const reader = yield* source.store.open(`${source.id}/${file.name}`)
  yield* checkFile(source, file, reader)
  for (const group of groups(records)) {
    for (const [record, bytes] of yield* readGroup(source, file, reader, group)) yield* receive(record, bytes)
  }
}, Effect.scoped)

/** Reads the tensors that are wanted, file by file. */
export const readTensors = <E, R>(
  source: Source,
  { files }: Manifest.Manifest,
  wanted: ReadonlyArray<TensorRecord>,
  receive: Receive<E, R>
): Effect.Effect<void, E | StoreError | CheckpointDamaged, R> =>
  Effect.forEach(
    files,
    (file, index) => {
      const records = wanted.filter((record) => record.file === index)
      return records.length === 0 ? Effect.void : readFile(source, file, records, receive)
    },
    { discard: true }
  ).pipe(Effect.mapError((error) => (error instanceof StoreError ? asDamage(source)(error) : error)))
