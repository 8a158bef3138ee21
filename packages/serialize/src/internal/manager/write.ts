/**
 * Writes a snapshot: the files of each item, then the manifest.
 *
 * Bytes go from the snapshot to the store in pieces of 4 MB; each piece is hashed while the one before it is written, so
 * checksums cost nothing that the disk does not. Nothing is held but the snapshot and two pieces.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Store } from "../../CheckpointStore.ts"
import type { StoreError } from "../../SerializeError.ts"
import type { Checksum } from "../checksum.ts"
import { pieces as fileOf } from "../headerWriter.ts"
import type { Captured } from "../item/contract.ts"
import { gathered } from "../pieces.ts"
import * as Manifest from "./manifest.ts"
import { indexOf, type Shard, shardsOf } from "./shards.ts"

const pieceSize = 4 << 20

/** All that a checkpoint will consist of. */
export interface Snapshot {
  readonly step: number
  readonly savedAt: number
  readonly metrics: Readonly<Record<string, number>>
  readonly items: ReadonlyArray<readonly [name: string, captured: Captured]>
}

/** Where a snapshot is written, and who is told how far it is. */
export interface Target {
  readonly store: Store
  /** The directory of the checkpoint. */
  readonly id: string
  readonly checksum: Checksum
  readonly shardSize: number
  readonly progress: (written: number) => Effect.Effect<void>
}

interface WrittenFile {
  readonly file: Manifest.FileRecord
  readonly tensors: ReadonlyArray<Omit<Manifest.TensorRecord, "file">>
}

/** Chunks of a file that are hashed as they pass, each on its own. */
function* hashed(checksum: Checksum, chunks: Iterable<Uint8Array>, digests: Array<string>): Generator<Uint8Array> {
  for (const chunk of chunks) {
    checksum.reset()
    for (let at = 0; at < chunk.length; at += pieceSize) {
      const piece = chunk.subarray(at, at + pieceSize)
      checksum.update(piece)
      yield piece
    }
    digests.push(checksum.digest())
  }
}

const put = ({ id, progress, store }: Target, name: string, content: Stream.Stream<Uint8Array>) =>
  store.put(
    `${id}/${name}`,
    Stream.tap(content, ({ length }) => progress(length))
  )

const bytesOf = (text: string): Stream.Stream<Uint8Array> => Stream.make(new TextEncoder().encode(text))

/** Where the tensors of a file lie, and the digest of each. */
const recorded = (
  { tensors }: Shard,
  headerSize: number,
  digests: ReadonlyArray<string>
): { readonly size: number; readonly tensors: WrittenFile["tensors"] } => {
  let size = headerSize
  const records = tensors.map(({ entry: { bytes, dtype, name, shape }, path }, index) => {
    const begin = size
    size += bytes.length
    return { name, path, dtype, shape, begin, end: size, checksum: digests[index] ?? "" }
  })
  return { size, tensors: records }
}

const writeShard = Effect.fnUntraced(function* (
  target: Target,
  shard: Shard,
  metadata: Readonly<Record<string, string>>
): Effect.fn.Return<WrittenFile, StoreError> {
  const [header = new Uint8Array(), ...chunks] = fileOf(
    shard.tensors.map(({ entry }) => entry),
    metadata
  )
  let digests: Array<string> = []
  const content = Stream.suspend(() => {
    digests = [] // what is tried again begins anew
    const all = hashed(target.checksum, [header, ...chunks], digests)
    return Stream.fromIterable(gathered(all, pieceSize), { chunkSize: 1 })
  })
  yield* put(target, shard.name, Stream.buffer(content, { capacity: 1 }))
  const [headerChecksum = "", ...rest] = digests
  const { size, tensors } = recorded(shard, header.length, rest)
  return { file: { name: shard.name, size, headerSize: header.length, headerChecksum }, tensors }
})

const metadataOf = ({ manifest }: Captured): Readonly<Record<string, string>> =>
  manifest === undefined ? {} : { optim: JSON.stringify(manifest) }

const writeItem = Effect.fnUntraced(function* (target: Target, name: string, captured: Captured) {
  const shards = captured.tensors.length === 0 ? [] : shardsOf(name, captured.tensors, target.shardSize)
  const metadata = metadataOf(captured)
  const files = yield* Effect.forEach(shards, (shard) => writeShard(target, shard, metadata))
  const index = indexOf(shards)
  if (index !== undefined) yield* put(target, `${name}.safetensors.index.json`, bytesOf(index))
  return files
})

const itemRecord = (
  { kind, value, version }: Captured,
  files: ReadonlyArray<WrittenFile>,
  firstFile: number
): Manifest.ItemRecord => ({
  kind,
  version,
  value,
  tensors: files.flatMap(({ tensors }, index) => tensors.map((tensor) => ({ ...tensor, file: firstFile + index })))
})

/** Writes all files of a snapshot. Its manifest is returned: the checkpoint is there when that is written, too. */
export const writeFiles = Effect.fnUntraced(function* (
  target: Target,
  { items, metrics, savedAt, step }: Snapshot
): Effect.fn.Return<Manifest.Manifest, StoreError> {
  const files: Array<Manifest.FileRecord> = []
  const records: Array<readonly [string, Manifest.ItemRecord]> = []
  for (const [name, captured] of items) {
    const written = yield* writeItem(target, name, captured)
    records.push([name, itemRecord(captured, written, files.length)])
    files.push(...written.map(({ file }) => file))
  }
  return Manifest.make({ step, savedAt, metrics, files, items: Object.fromEntries(records) })
})

/** The name of the manifest within a checkpoint. */
export const manifestName = "manifest.json"

/** Writes the manifest: from now on the checkpoint is there. */
export const publish = (
  { checksum, id, store }: Target,
  manifest: Manifest.Manifest
): Effect.Effect<void, StoreError> =>
  store.put(`${id}/${manifestName}`, Stream.make(Manifest.encode(checksum, manifest)))

/** How many bytes a snapshot has, headers left out. */
export const sizeOf = ({ items }: Snapshot): number =>
  items.reduce((sum, [, { tensors }]) => sum + tensors.reduce((n, { entry }) => n + entry.bytes.length, 0), 0)
